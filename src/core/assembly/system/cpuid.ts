// CPUID (SDM 2A): a plain x86-64 processor that states exactly what is implemented. x87 arithmetic is not yet (a later
// issue), but the FPU bit is reported, because no 64-bit kernel starts without it.
import * as L from '../../layout';
import { msrKnown } from './host';

// leaf 1
const FPU: u32 = 1, VME: u32 = 2, DE: u32 = 1 << 2, PSE: u32 = 1 << 3, TSC: u32 = 1 << 4, MSR: u32 = 1 << 5, PAE: u32 = 1 << 6;
const CX8: u32 = 1 << 8, APIC: u32 = 1 << 9, SEP: u32 = 1 << 11, MTRR: u32 = 1 << 12, PGE: u32 = 1 << 13;
const CMOV: u32 = 1 << 15, PAT: u32 = 1 << 16;
const PSE36: u32 = 1 << 17, CLFSH: u32 = 1 << 19, FXSR: u32 = 1 << 24, SSE: u32 = 1 << 25, SSE2: u32 = 1 << 26, HTT: u32 = 1 << 28;
const CX16: u32 = 1 << 13, PCID: u32 = 1 << 17, X2APIC: u32 = 1 << 21, TSC_DEADLINE: u32 = 1 << 24;
// leaf 7
const FSGSBASE: u32 = 1, TSC_ADJUST: u32 = 2, SMEP: u32 = 1 << 7, INVPCID: u32 = 1 << 10, SMAP: u32 = 1 << 20;
const UMIP: u32 = 1 << 2, BUS_LOCK_DETECT: u32 = 1 << 24; // ECX
// leaf 80000001h
const SYSCALL: u32 = 1 << 11, NX: u32 = 1 << 20, PAGE_1G: u32 = 1 << 26, RDTSCP: u32 = 1 << 27, LM: u32 = 1 << 29;
const LAHF64: u32 = 1, AMD_CMP_LEGACY: u32 = 2;

const FEATURES: u32 = FPU | VME | DE | PSE | TSC | MSR | PAE | CX8 | APIC | SEP | MTRR | PGE | CMOV | PAT | PSE36 | CLFSH | FXSR | SSE
  | SSE2;
/** AMD repeats these bits of leaf 1 in leaf 80000001h. */
const AMD_REPEATED: u32 = 0x0183f3ff;

const MAX_BASIC: u32 = 0x16, MAX_EXTENDED: u32 = 0x80000008;
const APIC_BASE: u32 = 0x1b, DEADLINE: u32 = 0x6e0;
/** IA32_APIC_BASE bit 11: the APIC is enabled; the feature bit follows it (SDM 3A 11.4.3). */
const APIC_ENABLED: u64 = 0x800;

/** Family, model, stepping: Intel 6/15/11, AMD 15/107/2: as plain as 64-bit processors come. */
export function signature(): u32 { return load<u32>(L.CONFIG_PROFILE) ? 0x60fb2 : 0x6fb; }
function isAmd(): bool { return load<u32>(L.CONFIG_PROFILE) != 0; }
function set(a: u32, b: u32, c: u32, d: u32): void {
  store<u64>(L.RAX, a); store<u64>(L.RBX, b); store<u64>(L.RCX, c); store<u64>(L.RDX, d);
}
/** Bits of an APIC id that number the vCPUs of the one package. */
function idBits(): u32 { let n = load<u32>(L.CONFIG_VCPUS); return n > 1 ? 32 - clz<u32>(n - 1) : 0; }

export function cpuid(): void {
  let leaf = load<u32>(L.RAX), sub = load<u32>(L.RCX), id = load<u32>(L.VCPU), vcpus = load<u32>(L.CONFIG_VCPUS);
  // an unknown basic leaf answers like the highest one (SDM 2A CPUID), AMD answers zeros
  if (leaf > MAX_BASIC && leaf < 0x80000000 && (leaf < 0x40000000 || leaf > 0x4fffffff) && !isAmd()) leaf = MAX_BASIC;
  if (leaf == 0) {
    if (isAmd()) set(MAX_BASIC, 0x68747541, 0x444d4163, 0x69746e65); // AuthenticAMD
    else set(MAX_BASIC, 0x756e6547, 0x6c65746e, 0x49656e69); // GenuineIntel
  } else if (leaf == 1) {
    let c = CX16 | PCID | (msrKnown(APIC_BASE, 0) ? X2APIC : 0) | (msrKnown(DEADLINE, 0) ? TSC_DEADLINE : 0);
    let features = load<u64>(L.MSR_APIC_BASE) & APIC_ENABLED ? FEATURES : FEATURES & ~APIC;
    set(signature(), id << 24 | (<u32>1 << idBits()) << 16 | 8 << 8, c, features | (vcpus > 1 ? HTT : 0));
  } else if (leaf == 2) set(isAmd() ? 0 : 0xff01, 0, 0, 0); // FFh: see leaf 4
  else if (leaf == 4) cacheLeaf(sub);
  else if (leaf == 6) set(4, 0, 0, 0); // the APIC timer always runs
  else if (leaf == 7) set(0, sub ? 0 : FSGSBASE | TSC_ADJUST | SMEP | INVPCID | SMAP, sub ? 0 : UMIP | BUS_LOCK_DETECT, 0);
  else if (leaf == 0xb) {
    if (sub == 0) set(0, 1, 1 << 8, id); // one thread a core
    else if (sub == 1) set(idBits(), vcpus, 2 << 8 | 1, id);
    else set(0, 0, sub & 0xff, id);
  } else if (leaf == 0x15) set(1, 1, 1_000_000_000, 0); // crystal 1 GHz, TSC = crystal * 1 / 1
  else if (leaf == 0x16) set(1000, 1000, 100, 0);
  else if (leaf == 0x80000000) {
    if (isAmd()) set(MAX_EXTENDED, 0x68747541, 0x444d4163, 0x69746e65);
    else set(MAX_EXTENDED, 0, 0, 0);
  } else if (leaf == 0x80000001) {
    let d = SYSCALL | NX | PAGE_1G | RDTSCP | LM;
    if (isAmd()) set(signature(), 0, LAHF64 | (vcpus > 1 ? AMD_CMP_LEGACY : 0), d | (FEATURES & AMD_REPEATED));
    else set(0, 0, LAHF64, d);
  } else if (leaf >= 0x80000002 && leaf <= 0x80000004) brand(leaf - 0x80000002);
  else if (leaf == 0x80000006) set(0, 0, 256 << 16 | 6 << 12 | 1 << 8 | 64, 0); // L2: 256 KiB, 8 ways, 64-byte lines
  else if (leaf == 0x80000007) set(0, 0, 0, 1 << 8); // invariant TSC
  else if (leaf == 0x80000008) set(40 | 48 << 8, 0, isAmd() ? (vcpus - 1) | idBits() << 12 : 0, 0);
  else set(0, 0, 0, 0);
}
/** Two first-level caches of 32 KiB and a second level of 256 KiB, each a core's own. */
function cacheLeaf(sub: u32): void {
  if (sub > 2 || isAmd()) { set(0, 0, 0, 0); return; }
  let type: u32 = sub == 0 ? 1 : sub == 1 ? 2 : 3, level: u32 = sub < 2 ? 1 : 2, ways: u32 = 8, sets: u32 = sub < 2 ? 64 : 512;
  set(type | level << 5 | 1 << 8 | ((<u32>1 << idBits()) - 1) << 26, 63 | (ways - 1) << 22, sets - 1, 0);
}
/** "Trapline x86-64 virtual processor", 48 bytes in three leaves. */
function brand(part: u32): void {
  if (part == 0) set(0x70617254, 0x656e696c, 0x36387820, 0x2034362d); // "Trapline x86-64 "
  else if (part == 1) set(0x74726976, 0x206c6175, 0x636f7270, 0x6f737365); // "virtual processo"
  else set(0x72, 0, 0, 0);
}
