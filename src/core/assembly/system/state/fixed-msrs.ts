// Model-specific registers without state: kernels read them without asking CPUID, since every processor of the kind has
// them, or because it is family and model that they go by. Each answers the same value always. That a write is ignored,
// where a processor would keep it, says to those who look (Linux does before it trusts a performance counter) that
// nothing is behind the register.
//
// Sources. SDM: volume 4, table 2-2 (architectural MSRs; those "06_01H" on are in every Intel processor with 64-bit
// mode) and table 2-4 (Atom, the family of the Intel profile). APM: AMD64 volume 2, appendix A. BKDG: "BIOS and Kernel
// Developer's Guide for AMD NPT Family 0Fh Processors" (32559), chapter 14, the family of the AMD profile. Behind each,
// who reads it.
import * as L from '../../../layout';

const INTEL: u64 = 1, AMD: u64 = 2, BOTH: u64 = 3;
/** What WRMSR does: is #GP; is ignored; is #GP unless all bits are 0; is the only way there is, and ignored. */
const READ_ONLY: u64 = 0, IGNORED: u64 = 1, ZERO_ONLY: u64 = 2, WRITE_ONLY: u64 = 3;

/**
 * IA32_ARCH_CAPABILITIES (SDM 4 table 2-2): nothing here executes ahead of the program, so nothing leaks that way.
 * RDCL_NO (0), SKIP_L1DFL_VMENTRY (3), SSB_NO (4), MDS_NO (5), PSCHANGE_MC_NO (6), TAA_NO (8), SBDR_SSDP_NO (13),
 * FBSDP_NO (14), PSDP_NO (15), BHI_NO (20), PBRSB_NO (24), GDS_NO (26), RFDS_NO (27), ITS_NO (62). Not IBRS_ALL: it
 * promises IA32_SPEC_CTRL, which is not there.
 */
const IMMUNE: u64 = 0x400000000d10e179;
/** Eight variable ranges, fixed ranges, write-combining (SDM 3A 12.11.1). */
const MTRR_CAPABILITIES: u64 = 0x508;

/** Rows of ROW numbers: first and last index, profiles, what a write does, value. */
const ROW: i32 = 5;
const TABLE: StaticArray<u64> = [
  // IA32_P5_MC_ADDR, IA32_P5_MC_TYPE: no error was logged (SDM). Kernels that know the Pentium's machine check alone.
  0x0, 0x1, BOTH, IGNORED, 0,
  // IA32_PLATFORM_ID: platform 0 (SDM). Loaders of microcode: Linux, Xen, FreeBSD, OpenBSD.
  0x17, 0x17, INTEL, READ_ONLY, 0,
  // EBL_CR_POWERON: in every processor of family 6 (SDM table 2-4). Clock drivers of OpenBSD and NetBSD.
  0x2a, 0x2a, INTEL, IGNORED, 0,
  // IA32_BIOS_UPDT_TRIG: an update that does not fit (SDM). Loaders of microcode.
  0x79, 0x79, INTEL, WRITE_ONLY, 0,
  // IA32_BIOS_SIGN_ID, AMD: patch level. No microcode update (SDM, BKDG). Linux, Xen, the BSDs, at each processor's
  // start.
  0x8b, 0x8b, BOTH, IGNORED, 0,
  // IA32_MTRRCAP (SDM, APM). Whoever sees MTRR in CPUID.
  0xfe, 0xfe, BOTH, READ_ONLY, MTRR_CAPABILITIES,
  // IA32_ARCH_CAPABILITIES (SDM). Whoever sees it in CPUID.
  0x10a, 0x10a, INTEL, READ_ONLY, IMMUNE,
  // IA32_MCG_CAP: no bank, no IA32_MCG_CTL (SDM 3B 16.3.1.1; APM 9.3.2.1). Hypervisors for their guests' machine check,
  // and kernels that read it in front of CPUID's MCA.
  0x179, 0x179, BOTH, READ_ONLY, 0,
  // IA32_MCG_STATUS: no machine check goes on; only 0 can be written (SDM 3B 16.3.1.2).
  0x17a, 0x17a, BOTH, ZERO_ONLY, 0,
  // PerfEvtSel0-3, PerfCtr0-3: in every AMD processor since the K7, without a bit in CPUID (BKDG). Linux and Xen look
  // whether firmware uses one, and whether a counter keeps what they write.
  0xc0010000, 0xc0010007, AMD, IGNORED, 0,
  // SYSCFG: neither TOP_MEM2 nor memory encryption (BKDG). Linux (MTRRs), Xen, FreeBSD.
  0xc0010010, 0xc0010010, AMD, IGNORED, 0,
  // HWCR: no erratum is worked around (BKDG). Linux, Xen, FreeBSD.
  0xc0010015, 0xc0010015, AMD, IGNORED, 0,
  // IORRBase0, IORRMask0, IORRBase1, IORRMask1: no I/O range (BKDG). Hypervisors when they save memory types.
  0xc0010016, 0xc0010019, AMD, IGNORED, 0,
  // TOP_MEM, TOP_MEM2: nobody has set them (BKDG). Linux (resources of the host bridge), Xen.
  0xc001001a, 0xc001001a, AMD, IGNORED, 0,
  0xc001001d, 0xc001001d, AMD, IGNORED, 0,
  // NB_CFG (BKDG). Linux, Xen, errata of OpenBSD and NetBSD.
  0xc001001f, 0xc001001f, AMD, IGNORED, 0,
  // MC0_CTL_MASK to MC4_CTL_MASK: no bank is masked (BKDG). Linux and FreeBSD for the table walk errors of the K8.
  0xc0010044, 0xc0010048, AMD, IGNORED, 0,
  // Interrupt Pending and CMP-Halt: C1E is off (BKDG). Linux and the BSDs, before they trust the APIC timer.
  0xc0010055, 0xc0010055, AMD, IGNORED, 0,
  // LS_CFG, IC_CFG, DC_CFG, BU_CFG: switches of errata (AMD's revision guides for family 0Fh). Xen, FreeBSD, OpenBSD,
  // NetBSD.
  0xc0011020, 0xc0011023, AMD, IGNORED, 0,
  // DE_CFG: whether LFENCE serialises (APM 3 LFENCE). Linux, Xen, FreeBSD.
  0xc0011029, 0xc0011029, AMD, IGNORED, 0,
];

/** Row of an MSR of the running profile, -1: it is none of these. */
function rowOf(index: u32): i32 {
  let profile = load<u32>(L.CONFIG_PROFILE) ? AMD : INTEL;
  for (let row = 0; row < TABLE.length; row += ROW) {
    if (<u64>index < unchecked(TABLE[row]) || <u64>index > unchecked(TABLE[row + 1])) continue;
    if (unchecked(TABLE[row + 2]) & profile) return row;
  }
  return -1;
}
/** Whether RDMSR answers. */
export function isFixedMsr(index: u32): bool {
  let row = rowOf(index);
  return row >= 0 && unchecked(TABLE[row + 3]) != WRITE_ONLY;
}
/** What it answers. */
export function fixedMsr(index: u32): u64 { return unchecked(TABLE[rowOf(index) + 4]); }
/** Whether WRMSR of this value is done, without effect. */
export function ignoresWrite(index: u32, value: u64): bool {
  let row = rowOf(index);
  if (row < 0) return false;
  let write = unchecked(TABLE[row + 3]);
  return write == ZERO_ONLY ? value == 0 : write != READ_ONLY;
}
/** Whether there is such an MSR: a refused access to one is the guest's fault, and no news to the user. */
export function existsAsFixed(index: u32): bool { return rowOf(index) >= 0; }
