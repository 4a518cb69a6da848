// System-management mode (SDM 3C chapter 31): SMI, the state save area, RSM.
//
// The save area has the Intel 64 format of table 31-3, revision 20064h with SMBASE relocation (bit 17) and without I/O
// instruction restart (bit 16): an I/O instruction retires before the SMI that it caused. The hidden parts of segment
// registers, and what else only this processor has between two instructions, stand in the area's reserved part, as on
// hardware. SMRAM is ordinary RAM: no chipset register hides it.
import * as L from '../../../layout';
import { validControl } from './control';
import { setDr7 } from '../memory/debug';
import { shutdown } from '../deliver/events';
import { rflags, setRflags } from '../state/flags';
import { waits } from '../memory/monitor-line';
import { written } from '../memory/physical';
import { fault } from '../raise/raise';
import { hostAddress, isRam } from '../state/ram';
import { setSegment, updateMode } from '../memory/segments';
import { flushTlb } from '../state/tlb';
import { UD } from '../state/vectors';
import { longMode } from '../memory/walk';

const REVISION: u32 = 0x20064;
const CR0_KEPT: u64 = ~(<u64>0x8000000d); // PE, EM, TS and PG are cleared
/** Big real mode: 4 GiB limits, present, writable, accessed (SDM 3C table 31-4). */
const DATA: u32 = 0x8093;

// offsets from SMBASE + 8000h (SDM 3C table 31-3)
const AREA: u32 = 0x7c00, AREA_SIZE: u32 = 0x400;
const CR0: u32 = 0x7ff8, CR3: u32 = 0x7ff0, RFLAGS: u32 = 0x7fe8, EFER: u32 = 0x7fe0, RIP: u32 = 0x7fd8,
  DR6: u32 = 0x7fd0,
  DR7: u32 = 0x7fc8;
const TR: u32 = 0x7fc4, LDTR: u32 = 0x7fc0, GS: u32 = 0x7fbc, FS: u32 = 0x7fb8, DS: u32 = 0x7fb4, SS: u32 = 0x7fb0,
  CS: u32 = 0x7fac,
  ES: u32 = 0x7fa8;
const RDI: u32 = 0x7f94, RSI: u32 = 0x7f8c, RBP: u32 = 0x7f84, RSP: u32 = 0x7f7c, RBX: u32 = 0x7f74, RDX: u32 = 0x7f6c,
  RCX: u32 = 0x7f64,
  RAX: u32 = 0x7f5c, R8: u32 = 0x7f54; // R8 to R15 go down by 8
const AUTO_HALT: u32 = 0x7f02, REVISION_ID: u32 = 0x7efc, SMBASE: u32 = 0x7ef8;
const LDT_LOW: u32 = 0x7e9c, IDT_LOW: u32 = 0x7e94, GDT_LOW: u32 = 0x7e8c, CR4: u32 = 0x7e40;
const IDT_HIGH: u32 = 0x7dd8, LDT_HIGH: u32 = 0x7dd4, GDT_HIGH: u32 = 0x7dd0;
// ours, in the reserved part
const SEGMENTS: u32 = 0x7c00; // eight times base, limit, attributes (16 bytes)
const GDT_LIMIT: u32 = 0x7c80, IDT_LIMIT: u32 = 0x7c84, LEVEL: u32 = 0x7c88, SHADOW: u32 = 0x7c8c,
  REPEATING: u32 = 0x7c90,
  PENDING: u32 = 0x7c94, NMI: u32 = 0x7c98, POINTERS: u32 = 0x7ca0;

@inline function physicalOf(offset: u32): u64 { return <u64>(load<u32>(L.SMBASE) + 0x8000 + offset); }
/** Fields lie in RAM or nowhere: a save area outside RAM reads as zeros, which RSM refuses. */
function get(offset: u32, size: u32): u64 {
  let at = physicalOf(offset);
  if (!isRam(at) || !isRam(at + size - 1)) return 0;
  return size == 8 ? load<u64>(hostAddress(at)) : size == 4 ? load<u32>(hostAddress(at)) : load<u16>(hostAddress(at));
}
function put(offset: u32, size: u32, value: u64): void {
  let at = physicalOf(offset);
  if (!isRam(at) || !isRam(at + size - 1)) return;
  if (size == 8) store<u64>(hostAddress(at), value);
  else if (size == 4) store<u32>(hostAddress(at), <u32>value);
  else store<u16>(hostAddress(at), <u16>value);
}
/** Slot and offset of the registers in the encoding's order. */
function registerOffset(number: u32): u32 {
  switch (number) {
    case 0: return RAX;
    case 1: return RCX;
    case 2: return RDX;
    case 3: return RBX;
    case 4: return RSP;
    case 5: return RBP;
    case 6: return RSI;
    case 7: return RDI;
    default: return R8 - ((number - 8) << 3);
  }
}
function selectorOffset(segment: u32): u32 { return segment < 6 ? ES + (segment << 2) : segment == 6 ? LDTR : TR; }

// ---- SMI ------------------------------------------------------------------------------------------------------------
/** Delivers an SMI at a boundary: saves the processor's state and enters the handler at SMBASE + 8000h. */
export function deliverSmi(): void {
  save();
  store<u32>(L.IN_SMM, 1);
  store<u32>(L.NMI_BLOCKED, 1);
  enterEnvironment();
  store<u32>(L.ATTENTION, load<u32>(L.ATTENTION) | L.ATTENTION_EVENT);
}
function save(): void {
  for (let i: u32 = 0; i < 16; i++) put(registerOffset(i), 8, load<u64>(L.REGS + (<usize>i << 3)));
  for (let i: u32 = 0; i < 8; i++) {
    let segment = L.SEGMENTS + <usize>i * L.SEGMENT_SIZE, hidden = SEGMENTS + (i << 4);
    put(selectorOffset(i), 4, load<u32>(segment, 16));
    put(hidden, 8, load<u64>(segment));
    put(hidden + 8, 4, load<u32>(segment, 8));
    put(hidden + 12, 4, load<u32>(segment, 12));
  }
  put(CR0, 8, load<u64>(L.CR0));
  put(CR3, 8, load<u64>(L.CR3));
  put(CR4, 8, load<u64>(L.CR4));
  put(EFER, 8, load<u64>(L.EFER));
  put(RFLAGS, 8, rflags()); put(RIP, 8, load<u64>(L.RIP)); put(DR6, 8, load<u64>(L.DR6)); put(DR7, 8, load<u64>(L.DR7));
  put(AUTO_HALT, 2, load<u32>(L.ACTIVITY) == 1 && !waits() ? 1 : 0); // MWAIT ends with an SMI
  put(REVISION_ID, 4, REVISION); put(SMBASE, 4, load<u32>(L.SMBASE));
  putBase(GDT_LOW, GDT_HIGH, L.GDTR); putBase(IDT_LOW, IDT_HIGH, L.IDTR); putBase(LDT_LOW, LDT_HIGH, L.LDTR);
  put(GDT_LIMIT, 4, load<u32>(L.GDTR, 8)); put(IDT_LIMIT, 4, load<u32>(L.IDTR, 8));
  put(LEVEL, 4, load<u32>(L.CPL)); put(SHADOW, 4, load<u32>(L.SHADOW)); put(REPEATING, 4, load<u32>(L.REP_ACTIVE));
  put(PENDING, 4, load<u32>(L.PENDING_DEBUG)); put(NMI, 4, load<u32>(L.NMI_BLOCKED));
  for (let i: u32 = 0; i < 4; i++) put(POINTERS + (i << 3), 8, load<u64>(L.PDPTE + (<usize>i << 3)));
  if (isRam(physicalOf(AREA)) && isRam(physicalOf(AREA + AREA_SIZE - 1))) written(physicalOf(AREA), AREA_SIZE);
}
function putBase(low: u32, high: u32, table: usize): void {
  put(low, 4, load<u64>(table) & 0xffffffff); put(high, 4, load<u64>(table) >> 32);
}
/** SDM 3C table 31-4. */
function enterEnvironment(): void {
  let base = load<u32>(L.SMBASE);
  store<u64>(L.CR0, load<u64>(L.CR0) & CR0_KEPT);
  store<u64>(L.CR4, 0); store<u64>(L.EFER, 0);
  setRflags(2);
  store<u32>(L.CPL, 0);
  for (let i: usize = 0; i < 6; i++) setSegment(L.SEGMENTS + i * L.SEGMENT_SIZE, 0, 0, 0xffffffff, DATA);
  setSegment(L.CS, base >> 4 & 0xffff, base, 0xffffffff, DATA);
  store<u64>(L.RIP, 0x8000);
  setDr7(0x400);
  leaveInstruction();
}
/** Nothing of what was between two instructions goes over the switch. */
function leaveInstruction(): void {
  store<u32>(L.SHADOW, 0); store<u32>(L.SHADOW_NEW, 0); store<u32>(L.REP_ACTIVE, 0); store<u32>(L.PENDING_DEBUG, 0);
  store<u32>(L.ACTIVITY, 0); store<u32>(L.TF_AT_START, 0); store<u32>(L.KEEP_RF, 0); store<u32>(L.GUARD_PASSED, 0);
  store<u32>(L.FIRST_HOLD, 0); store<u32>(L.MONITOR_ARMED, 0);
  flushTlb(true);
  updateMode();
}

// ---- RSM ------------------------------------------------------------------------------------------------------------
/** RSM (SDM 2B): back to where the SMI came; a state that no processor can be in ends in shutdown. */
export function resume(): void {
  if (!load<u32>(L.IN_SMM)) fault(UD, -1);
  let cr0 = get(CR0, 8), cr4 = get(CR4, 8), efer = get(EFER, 8), flags = get(RFLAGS, 8), base = <u32>get(SMBASE, 4);
  if (!validControl(cr0, cr4, efer, flags)) { store<u32>(L.IN_SMM, 0); shutdown(); return; }
  for (let i: u32 = 0; i < 16; i++) store<u64>(L.REGS + (<usize>i << 3), get(registerOffset(i), 8));
  for (let i: u32 = 0; i < 8; i++) {
    let hidden = SEGMENTS + (i << 4);
    setSegment(L.SEGMENTS + <usize>i * L.SEGMENT_SIZE, <u32>get(selectorOffset(i), 4), get(hidden, 8),
      <u32>get(hidden + 8, 4),
      <u32>get(hidden + 12, 4));
  }
  store<u64>(L.CR0, cr0); store<u64>(L.CR3, get(CR3, 8)); store<u64>(L.CR4, cr4); store<u64>(L.EFER, efer);
  for (let i: u32 = 0; i < 4; i++) store<u64>(L.PDPTE + (<usize>i << 3), get(POINTERS + (i << 3), 8));
  getBase(GDT_LOW, GDT_HIGH, L.GDTR); getBase(IDT_LOW, IDT_HIGH, L.IDTR);
  store<u32>(L.GDTR, <u32>get(GDT_LIMIT, 4) & 0xffff, 8); store<u32>(L.IDTR, <u32>get(IDT_LIMIT, 4) & 0xffff, 8);
  store<u64>(L.DR6, get(DR6, 8)); setDr7(get(DR7, 8));
  let halted = (get(AUTO_HALT, 2) & 1) != 0, rip = get(RIP, 8), level = <u32>get(LEVEL, 4) & 3;
  let shadow = <u32>get(SHADOW, 4);
  let repeating = <u32>get(REPEATING, 4) & 1, pending = <u32>get(PENDING, 4), blocked = <u32>get(NMI, 4) & 1;
  store<u32>(L.SMBASE, base);
  store<u32>(L.IN_SMM, 0); store<u32>(L.NMI_BLOCKED, blocked);
  store<u32>(L.CPL, level);
  setRflags(flags);
  leaveInstruction();
  store<u64>(L.RIP, longMode() ? rip : rip & 0xffffffff);
  // RSM's own retirement touches neither RF nor the shadow of the interrupted flow, and makes no single-step trap of
  // its own
  store<u32>(L.SHADOW_NEW, shadow < 3 ? shadow : 0); store<u32>(L.KEEP_RF, 1);
  store<u32>(L.REP_ACTIVE, repeating);
  store<u32>(L.PENDING_DEBUG, pending & 0xd81f);
  store<u32>(L.ACTIVITY, halted ? 1 : 0);
  store<u32>(L.ATTENTION, load<u32>(L.ATTENTION) | L.ATTENTION_EVENT | L.ATTENTION_RETIRE);
}
function getBase(low: u32, high: u32, table: usize): void { store<u64>(table, get(low, 4) | get(high, 4) << 32); }
