// Power-on, INIT and SIPI (SDM 3A chapter 9.1, table 9-1).
import * as L from '../../../layout';
import { signature } from './cpuid';
import { resetDebug } from '../memory/debug';
import { setArithmetic } from '../state/flags';
import { seedRandom } from './random';
import { setSegment, updateMode } from '../memory/segments';
import { MISC_ENABLE_MONITOR } from './monitor';
import { flushTlb } from '../state/tlb';

const CR0_RESET: u64 = 0x60000010, CR0_CACHE: u64 = 0x60000000;
const APIC_BASE: u64 = 0xfee00800, APIC_BOOTSTRAP: u64 = 0x100;
const DATA: u32 = 0x93, CODE: u32 = 0x9b, LDT: u32 = 0x82, TASK: u32 = 0x8b;

/** What power-on and INIT have in common. cache: CR0.CD and NW. */
function resetCommon(cache: u64): void {
  memory.fill(L.REGS, 0, 0x80);
  store<u64>(L.RDX, signature());
  setArithmetic(0);
  store<u64>(L.RFLAGS, 2);
  store<u64>(L.RIP, 0xfff0);
  for (let i: usize = 0; i < 6; i++) setSegment(L.SEGMENTS + i * L.SEGMENT_SIZE, 0, 0, 0xffff, DATA);
  setSegment(L.CS, 0xf000, 0xffff0000, 0xffff, CODE);
  setSegment(L.LDTR, 0, 0, 0xffff, LDT);
  setSegment(L.TR, 0, 0, 0xffff, TASK);
  store<u64>(L.GDTR, 0); store<u32>(L.GDTR, 0xffff, 8);
  store<u64>(L.IDTR, 0); store<u32>(L.IDTR, 0xffff, 8);
  store<u64>(L.CR0, (CR0_RESET & ~CR0_CACHE) | cache);
  store<u64>(L.CR2, 0); store<u64>(L.CR3, 0); store<u64>(L.CR4, 0); store<u64>(L.EFER, 0);
  store<u32>(L.CPL, 0);
  store<u32>(L.IN_SMM, 0); store<u32>(L.MONITOR_ARMED, 0);
  store<u32>(L.SHADOW, 0); store<u32>(L.REP_ACTIVE, 0); store<u32>(L.NMI_BLOCKED, 0); store<u32>(L.DELIVERING, 0);
  resetDebug();
  // what the observer knows about the interrupted flow is void; its bank and filters stay (guest-debug-spec T-9F)
  store<u32>(L.PASS_TOKEN, 0); store<u32>(L.PASS_ACTIVE, 0); store<u32>(L.FIRST_HOLD, 0);
  store<u32>(L.CAUGHT, 0); store<u32>(L.CAUGHT_PASS, 0);
  store<u32>(L.SHADOW_NEW, 0); store<u32>(L.KEEP_RF, 0); store<u32>(L.TF_AT_START, 0); store<u32>(L.GUARD_PASSED, 0);
  store<u32>(L.CURRENT, 0); store<u32>(L.WATCH_HITS, 0); store<u32>(L.BOUNCE_COUNT, 0);
  flushTlb(true);
  updateMode();
  store<u32>(L.ATTENTION, load<u32>(L.ATTENTION) | L.ATTENTION_EVENT);
}
/** Power-on state; an application processor waits for its SIPI. */
export function reset(bootstrap: u32): void {
  store<u32>(L.EVENTS, 0); store<u32>(L.EVENT_VECTOR, 0);
  memory.fill(L.XMM, 0, 256);
  memory.fill(L.X87, 0, 128);
  store<u32>(L.MXCSR, 0x1f80); store<u16>(L.FCW, 0x40); store<u16>(L.FSW, 0); store<u16>(L.FTW, 0x5555);
  store<u32>(L.IGNNE, 0);
  store<u64>(L.XCR0, 1);
  store<u32>(L.SMBASE, 0x30000); // INIT keeps it (SDM 3C 31.11)
  seedRandom();
  memory.fill(L.MSR_STAR, 0, L.MXCSR - L.MSR_STAR); // every MSR that is a slot, TSC offset included
  memory.fill(L.MSR_MTRR_FIXED, 0, L.MSR_MTRR_VARIABLE + 128 - L.MSR_MTRR_FIXED);
  store<u64>(L.MSR_APIC_BASE, APIC_BASE | (bootstrap ? APIC_BOOTSTRAP : 0));
  store<u64>(L.MSR_PAT, 0x0007040600070406);
  store<u64>(L.MSR_MISC_ENABLE, 1 | MISC_ENABLE_MONITOR); // fast strings
  resetCommon(CR0_CACHE);
  store<u32>(L.ACTIVITY, bootstrap ? 0 : 2);
}
/** INIT: the floating-point units, the MSRs and the cache bits of CR0 keep their values. */
export function initialise(): void {
  resetCommon(load<u64>(L.CR0) & CR0_CACHE);
  store<u32>(L.ACTIVITY, load<u64>(L.MSR_APIC_BASE) & APIC_BOOTSTRAP ? 0 : 2);
}
/** SIPI: starts at vector * 1000h in real mode (SDM 3A 9.4.4). */
export function startup(vector: u32): void {
  setSegment(L.CS, (vector & 0xff) << 8, <u64>(vector & 0xff) << 12, 0xffff, CODE);
  store<u64>(L.RIP, 0);
  store<u32>(L.ACTIVITY, 0);
  updateMode();
  store<u32>(L.ATTENTION, load<u32>(L.ATTENTION) | L.ATTENTION_EVENT);
}
