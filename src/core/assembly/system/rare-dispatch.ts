// Rare instructions: one switch over the operation that the record names.
import * as L from '../../layout';
import * as RARE from '../rare';
import { offsetOf, parameterOf } from '../core/record';
import * as control from './operations/control';
import { cpuid } from './operations/cpuid';
import { moveFromDebug, moveToDebug } from './memory/debug';
import * as descriptors from './operations/descriptors';
import { divide } from './operations/division';
import * as extended from './operations/extended-state';
import { int1, int3, intN, into, undefined_ } from './deliver/events';
import * as far from './operations/far';
import * as fp from './operations/floating-point';
import { inPort, inString, outPort, outString } from './operations/io';
import { invalidatePage } from './memory/mmu';
import { flushLine, maskedStore, maskedStoreQuad } from './operations/masked-store';
import { monitor, wait } from './operations/monitor';
import * as msr from './operations/msr';
import { code64 } from './state/operand-size';
import { invalidatePcid } from './operations/pcid';
import { fault, isNoted } from './raise/raise';
import { readRandom } from './operations/random';
import { resume } from './operations/smm';
import * as stack from './operations/stack-operations';
import { compareStrings } from './operations/string-compare';
import * as fast from './operations/syscall';
import { GP, UD } from './state/vectors';
import * as x87 from './operations/x87-environment';

function supervisorOnly(): void { if (load<u32>(L.CPL)) fault(GP, 0); }

function halt(): void {
  supervisorOnly();
  store<u32>(L.ACTIVITY, 1);
  store<u32>(L.ATTENTION, load<u32>(L.ATTENTION) | L.ATTENTION_EVENT);
}
/** INVLPG looks at no limit and no right: it only needs the address. */
function invalidate(r: usize): void {
  supervisorOnly();
  let a = offsetOf(r) + load<u64>(load<u32>(r, L.R_SEGMENT));
  invalidatePage(code64() ? a : a & 0xffffffff);
}

/** Executes the rare operation of a record; throws its faults. */
export function rare(r: usize): void {
  if (isNoted()) return;
  store<u32>(L.CURRENT, <u32>r);
  execute(r);
  store<u32>(L.CURRENT, 0);
}
/** A spin-wait hint: the others get their turn, since one of them has to end the wait. */
function pause(): void {
  store<u32>(L.YIELD, 1);
  store<u32>(L.ATTENTION, load<u32>(L.ATTENTION) | L.ATTENTION_STOP);
}
function execute(r: usize): void {
  switch (parameterOf(r)) {
    case RARE.RARE_UD: fault(UD, -1); break;
    case RARE.RARE_TOO_LONG: fault(GP, 0); break;
    case RARE.RARE_HLT: halt(); break;
    case RARE.RARE_CPUID: cpuid(); break;
    case RARE.RARE_RDTSC: msr.readTimeStamp(r); break;
    case RARE.RARE_RDTSCP: msr.readTimeStampAux(r); break;
    case RARE.RARE_RDMSR: msr.readMsr(r); break;
    case RARE.RARE_WRMSR: msr.writeMsr(r); break;
    case RARE.RARE_RDPMC: fault(GP, 0); break; // no counter exists
    case RARE.RARE_IN: inPort(r); break;
    case RARE.RARE_OUT: outPort(r); break;
    case RARE.RARE_INS: inString(r); break;
    case RARE.RARE_OUTS: outString(r); break;
    case RARE.RARE_INT3: int3(r); break;
    case RARE.RARE_INT: intN(r); break;
    case RARE.RARE_INT1: int1(r); break;
    case RARE.RARE_INTO: into(r); break;
    case RARE.RARE_IRET: far.iret(r); break;
    case RARE.RARE_CALL_FAR: far.callFar(r); break;
    case RARE.RARE_JMP_FAR: far.jumpFar(r); break;
    case RARE.RARE_RET_FAR: far.returnFar(r); break;
    case RARE.RARE_SYSCALL: fast.syscall(r); break;
    case RARE.RARE_SYSRET: fast.sysret(r); break;
    case RARE.RARE_SYSENTER: fast.sysenter(r); break;
    case RARE.RARE_SYSEXIT: fast.sysexit(r); break;
    case RARE.RARE_SWAPGS: fast.swapGs(r); break;
    case RARE.RARE_MOV_FROM_CR: control.moveFromControl(r); break;
    case RARE.RARE_MOV_TO_CR: control.moveToControl(r); break;
    case RARE.RARE_CLTS: control.clearTaskSwitched(r); break;
    case RARE.RARE_LMSW: control.loadMachineStatus(r); break;
    case RARE.RARE_SMSW: control.storeMachineStatus(r); break;
    case RARE.RARE_MOV_FROM_DR: moveFromDebug(r); break;
    case RARE.RARE_MOV_TO_DR: moveToDebug(r); break;
    case RARE.RARE_LGDT: descriptors.loadTable(r, L.GDTR); break;
    case RARE.RARE_LIDT: descriptors.loadTable(r, L.IDTR); break;
    case RARE.RARE_SGDT: descriptors.storeTable(r, L.GDTR); break;
    case RARE.RARE_SIDT: descriptors.storeTable(r, L.IDTR); break;
    case RARE.RARE_LLDT: descriptors.loadLocalTable(r); break;
    case RARE.RARE_LTR: descriptors.loadTask(r); break;
    case RARE.RARE_SLDT: descriptors.storeSelector(r, L.LDTR); break;
    case RARE.RARE_STR: descriptors.storeSelector(r, L.TR); break;
    case RARE.RARE_VERR: descriptors.verify(r, false); break;
    case RARE.RARE_VERW: descriptors.verify(r, true); break;
    case RARE.RARE_LAR: descriptors.loadAccessRights(r); break;
    case RARE.RARE_LSL: descriptors.loadSegmentLimit(r); break;
    case RARE.RARE_ARPL: descriptors.adjustRequestedLevel(r); break;
    case RARE.RARE_INVLPG: invalidate(r); break;
    case RARE.RARE_INVPCID: invalidatePcid(r); break;
    case RARE.RARE_BEYOND_LIMIT: fault(GP, 0); break;
    case RARE.RARE_INVD:
    case RARE.RARE_WBINVD: supervisorOnly(); break; // there are no caches
    case RARE.RARE_MOV_TO_SEGMENT: stack.moveToSegment(r); break;
    case RARE.RARE_MOV_FROM_SEGMENT: stack.moveFromSegment(r); break;
    case RARE.RARE_POP_SEGMENT: stack.popSegment(r); break;
    case RARE.RARE_PUSH_SEGMENT: stack.pushSegment(r); break;
    case RARE.RARE_LOAD_FAR_POINTER: stack.loadFarPointer(r); break;
    case RARE.RARE_STI: stack.setInterrupts(); break;
    case RARE.RARE_CLI: stack.clearInterrupts(); break;
    case RARE.RARE_POPF: stack.popFlags(r); break;
    case RARE.RARE_PUSHF: stack.pushFlags(r); break;
    case RARE.RARE_PUSHA: stack.pushAll(r); break;
    case RARE.RARE_POPA: stack.popAll(r); break;
    case RARE.RARE_ENTER: stack.enterFrame(r); break;
    case RARE.RARE_BOUND: stack.bound(r); break;
    case RARE.RARE_SALC: stack.setAlFromCarry(); break;
    case RARE.RARE_CLAC: stack.setAlignmentCheck(false); break;
    case RARE.RARE_STAC: stack.setAlignmentCheck(true); break;
    case RARE.RARE_DIV: divide(r); break;
    case RARE.RARE_RDFSBASE: msr.readBase(r, L.FS); break;
    case RARE.RARE_RDGSBASE: msr.readBase(r, L.GS); break;
    case RARE.RARE_WRFSBASE: msr.writeBase(r, L.FS); break;
    case RARE.RARE_WRGSBASE: msr.writeBase(r, L.GS); break;
    case RARE.RARE_FXSAVE: fp.saveExtended(r); break;
    case RARE.RARE_FXRSTOR: fp.restoreExtended(r); break;
    case RARE.RARE_LDMXCSR: fp.loadMxcsr(r); break;
    case RARE.RARE_STMXCSR: fp.storeMxcsr(r); break;
    case RARE.RARE_FLDENV: x87.loadEnvironmentOf(r); break;
    case RARE.RARE_FNSTENV: x87.storeEnvironmentOf(r); break;
    case RARE.RARE_FRSTOR: x87.restoreState(r); break;
    case RARE.RARE_FNSAVE: x87.saveState(r); break;
    case RARE.RARE_CLFLUSH: flushLine(r); break;
    case RARE.RARE_MASKMOVDQU: maskedStore(r); break;
    case RARE.RARE_MASKMOVQ: maskedStoreQuad(r); break;
    case RARE.RARE_PAUSE: pause(); break;
    case RARE.RARE_XGETBV: extended.readExtendedControl(); break;
    case RARE.RARE_XSETBV: extended.writeExtendedControl(); break;
    case RARE.RARE_XSAVE: extended.saveState(r); break;
    case RARE.RARE_XRSTOR: extended.restoreState(r); break;
    case RARE.RARE_RDRAND: readRandom(r); break;
    case RARE.RARE_RDPID: msr.readProcessorId(r); break;
    case RARE.RARE_PCMPESTRM: compareStrings(r, true, false); break;
    case RARE.RARE_PCMPESTRI: compareStrings(r, true, true); break;
    case RARE.RARE_PCMPISTRM: compareStrings(r, false, false); break;
    case RARE.RARE_PCMPISTRI: compareStrings(r, false, true); break;
    case RARE.RARE_RSM: resume(); break;
    case RARE.RARE_MONITOR: monitor(r); break;
    case RARE.RARE_MWAIT: wait(); break;
    default: undefined_(r, true);
  }
}
