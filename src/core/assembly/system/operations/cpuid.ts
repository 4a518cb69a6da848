// CPUID (SDM 2A): a plain x86-64 processor that states exactly what is implemented.
import * as L from '../../../layout';
import { hasBusLockDetection } from '../state/debug-causes';
import { OSXSAVE, XCR0_DEFINED, XSAVE_SIZE } from './extended-state';
import { msrKnown } from '../state/host';
import { hasMonitor } from './monitor';

// leaf 1
const FPU: u32 = 1, VME: u32 = 2, DE: u32 = 1 << 2, PSE: u32 = 1 << 3, TSC: u32 = 1 << 4, MSR: u32 = 1 << 5;
const PAE: u32 = 1 << 6;
const CX8: u32 = 1 << 8, APIC: u32 = 1 << 9, SEP: u32 = 1 << 11, MTRR: u32 = 1 << 12, PGE: u32 = 1 << 13;
const CMOV: u32 = 1 << 15, PAT: u32 = 1 << 16;
const PSE36: u32 = 1 << 17, CLFSH: u32 = 1 << 19, MMX: u32 = 1 << 23, FXSR: u32 = 1 << 24;
const SSE: u32 = 1 << 25, SSE2: u32 = 1 << 26, HTT: u32 = 1 << 28;
const SSE3: u32 = 1, MONITOR: u32 = 1 << 3, SSSE3: u32 = 1 << 9, CX16: u32 = 1 << 13, PCID: u32 = 1 << 17;
const SSE4_1: u32 = 1 << 19, SSE4_2: u32 = 1 << 20;
const X2APIC: u32 = 1 << 21, MOVBE: u32 = 1 << 22, POPCNT: u32 = 1 << 23, TSC_DEADLINE: u32 = 1 << 24;
const XSAVE: u32 = 1 << 26;
const OSXSAVE_COPY: u32 = 1 << 27, RDRAND: u32 = 1 << 30;
// leaf 7
const FSGSBASE: u32 = 1, TSC_ADJUST: u32 = 2, BMI1: u32 = 1 << 3, SMEP: u32 = 1 << 7, BMI2: u32 = 1 << 8;
const INVPCID: u32 = 1 << 10;
const RDSEED: u32 = 1 << 18, ADX: u32 = 1 << 19, SMAP: u32 = 1 << 20, CLFLUSHOPT: u32 = 1 << 23;
const UMIP: u32 = 1 << 2, RDPID: u32 = 1 << 22, BUS_LOCK_DETECT: u32 = 1 << 24; // ECX
const ARCH_CAPABILITIES: u32 = 1 << 29; // EDX
// leaf 80000001h
const SYSCALL: u32 = 1 << 11, NX: u32 = 1 << 20, MMXEXT: u32 = 1 << 22, PAGE_1G: u32 = 1 << 26, RDTSCP: u32 = 1 << 27;
const LM: u32 = 1 << 29;
// leaf 80000008h, AMD: x87 pointers are saved whether an exception is pending or not (else kernels clear them at each
// switch); not affected by speculative store bypass, by branch type confusion
const XSAVEERPTR: u32 = 1 << 2, SSB_NO: u32 = 1 << 26, BTC_NO: u32 = 1 << 29;
const LAHF64: u32 = 1, AMD_CMP_LEGACY: u32 = 2, ABM: u32 = 1 << 5, PREFETCHW: u32 = 1 << 8;

const FEATURES: u32 = FPU | VME | DE | PSE | TSC | MSR | PAE | CX8 | APIC | SEP | MTRR | PGE | CMOV | PAT | PSE36
  | CLFSH | MMX | FXSR
  | SSE | SSE2;
const FEATURES_C: u32 = SSE3 | SSSE3 | CX16 | PCID | SSE4_1 | SSE4_2 | MOVBE | POPCNT | XSAVE | RDRAND;
const LEAF_7_B: u32 = FSGSBASE | TSC_ADJUST | BMI1 | SMEP | BMI2 | INVPCID | RDSEED | ADX | SMAP | CLFLUSHOPT;
const LEAF_7_C: u32 = UMIP | RDPID;
const EXTENDED_C: u32 = LAHF64 | ABM | PREFETCHW;
/**
 * AMD repeats these bits of leaf 1 in leaf 80000001h, and names the integer part of SSE, which it had before, MMXEXT.
 */
const AMD_REPEATED: u32 = 0x0183f3ff;

const MAX_BASIC: u32 = 0x16, MAX_EXTENDED: u32 = 0x80000008;
const APIC_BASE: u32 = 0x1b, DEADLINE: u32 = 0x6e0;
/** IA32_APIC_BASE bit 11: the APIC is enabled; the feature bit follows it (SDM 3A 11.4.3). */
const APIC_ENABLED: u64 = 0x800;

/**
 * Family, model, stepping. Intel 6/54/1 is the Atom of 2011 (Saltwell), which executes in order, as this processor
 * does: to guests that judge by the model (Linux, arch/x86/kernel/cpu/common.c, cpu_vuln_whitelist: NO_SPECULATION) it
 * needs no page table isolation, no retpolines, no fences behind SWAPGS and no flushes; IA32_ARCH_CAPABILITIES tells
 * the same to those that judge by it. A Core 2, say, would be vulnerable to whatever no bit denies. AMD 15/107/2 is a
 * K8: by its family no Meltdown, L1TF, MDS, SWAPGS hole or speculative store bypass; no bit that Linux 6.1 reads on AMD
 * denies Spectre v2: it uses retpolines.
 */
export function signature(): u32 { return load<u32>(L.CONFIG_PROFILE) ? 0x60fb2 : 0x30661; }
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
    let c = FEATURES_C | (hasMonitor() ? MONITOR : 0) | (load<u64>(L.CR4) & OSXSAVE ? OSXSAVE_COPY : 0);
    c |= (msrKnown(APIC_BASE, 0) ? X2APIC : 0) | (msrKnown(DEADLINE, 0) ? TSC_DEADLINE : 0);
    let features = load<u64>(L.MSR_APIC_BASE) & APIC_ENABLED ? FEATURES : FEATURES & ~APIC;
    set(signature(), id << 24 | (<u32>1 << idBits()) << 16 | 8 << 8, c, features | (vcpus > 1 ? HTT : 0));
  } else if (leaf == 2) set(isAmd() ? 0 : 0xff01, 0, 0, 0); // FFh: see leaf 4
  else if (leaf == 4) cacheLeaf(sub);
  else if (leaf == 5) { if (hasMonitor()) set(64, 64, 0, 0); else set(0, 0, 0, 0); } // lines of 64 bytes, no extension
  else if (leaf == 6) set(4, 0, 0, 0); // the APIC timer always runs
  else if (leaf == 7) {
    let c = LEAF_7_C | (hasBusLockDetection() ? BUS_LOCK_DETECT : 0);
    if (sub == 0) set(0, LEAF_7_B, c, isAmd() ? 0 : ARCH_CAPABILITIES);
    else set(0, 0, 0, 0);
  // 576 bytes whatever is enabled
  } else if (leaf == 0xd && sub == 0) set(<u32>XCR0_DEFINED, XSAVE_SIZE, XSAVE_SIZE, 0);
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
    if (isAmd())
      set(signature(), 0, EXTENDED_C | (vcpus > 1 ? AMD_CMP_LEGACY : 0), d | MMXEXT | (FEATURES & AMD_REPEATED));
    else set(0, 0, EXTENDED_C, d);
  } else if (leaf >= 0x80000002 && leaf <= 0x80000004) brand(leaf - 0x80000002);
  else if (leaf == 0x80000006) set(0, 0, 256 << 16 | 6 << 12 | 1 << 8 | 64, 0); // L2: 256 KiB, 8 ways, 64-byte lines
  else if (leaf == 0x80000007) set(0, 0, 0, 1 << 8); // invariant TSC
  else if (leaf == 0x80000008)
    set(40 | 48 << 8, isAmd() ? XSAVEERPTR | SSB_NO | BTC_NO : 0, isAmd() ? (vcpus - 1) | idBits() << 12 : 0, 0);
  else set(0, 0, 0, 0);
}
/** Two first-level caches of 32 KiB and a second level of 256 KiB, each a core's own. */
function cacheLeaf(sub: u32): void {
  if (sub > 2 || isAmd()) { set(0, 0, 0, 0); return; }
  let type: u32 = sub == 0 ? 1 : sub == 1 ? 2 : 3, level: u32 = sub < 2 ? 1 : 2, ways: u32 = 8;
  let sets: u32 = sub < 2 ? 64 : 512;
  set(type | level << 5 | 1 << 8 | ((<u32>1 << idBits()) - 1) << 26, 63 | (ways - 1) << 22, sets - 1, 0);
}
/** "Trapline x86-64 virtual processor", 48 bytes in three leaves. */
function brand(part: u32): void {
  if (part == 0) set(0x70617254, 0x656e696c, 0x36387820, 0x2034362d); // "Trapline x86-64 "
  else if (part == 1) set(0x74726976, 0x206c6175, 0x636f7270, 0x6f737365); // "virtual processo"
  else set(0x72, 0, 0, 0);
}
