// What the processor says about speculation. It executes nothing speculatively, so it says that it has none of the known
// weaknesses (IA32_ARCH_CAPABILITIES), and the controls are there without having to do anything (SDM 4 table 2-2; "Guidance
// for ... Speculative Execution Side Channel"). A kernel that is told so needs neither a second set of page tables nor
// return trampolines. Of the Intel profile alone: AMD of that age has neither register.
import * as L from '../../layout';
import { fault } from './events';
import { GP } from './segments';

const SPEC_CTRL: u32 = 0x48, PRED_CMD: u32 = 0x49, ARCH_CAPABILITIES: u32 = 0x10a;
// CPUID leaf 7 EDX
const IBRS_IBPB: u32 = 1 << 26, HAS_ARCH_CAPABILITIES: u32 = 1 << 29;
// CPUID leaf 7 subleaf 2 EDX
const BHI_CTRL: u32 = 1 << 4, MCDT_NO: u32 = 1 << 5;
/** IBRS, BHI_DIS_S; the bits of STIBP and SSBD may be set when IBRS is enumerated (SDM 4, IA32_SPEC_CTRL). */
const SPEC_CTRL_DEFINED: u64 = 7 | 1 << 10;
/** RDCL_NO, IBRS_ALL, SKIP_L1DFL_VMENTRY, SSB_NO, MDS_NO, IF_PSCHANGE_MC_NO, TAA_NO, SBDR_SSDP_NO, FBSDP_NO, PSDP_NO. */
const NO_WEAKNESS: u64 = 1 | 2 | 8 | 0x10 | 0x20 | 0x40 | 0x100 | 0x2000 | 0x4000 | 0x8000;
/** BHI_NO, PBRSB_NO, GDS_NO, RFDS_NO, ITS_NO. */
const NO_LATER_WEAKNESS: u64 = 1 << 20 | 1 << 24 | 1 << 26 | 1 << 27 | (<u64>1 << 62);

/** CPUID leaf 7, EDX of a subleaf. */
export function speculationFeatures(sub: u32): u32 {
  if (load<u32>(L.CONFIG_PROFILE)) return 0;
  return sub == 0 ? IBRS_IBPB | HAS_ARCH_CAPABILITIES : sub == 2 ? BHI_CTRL | MCDT_NO : 0;
}
export function isSpeculationRegister(index: u32, write: bool): bool {
  if (load<u32>(L.CONFIG_PROFILE)) return false;
  return index == SPEC_CTRL || index == (write ? PRED_CMD : ARCH_CAPABILITIES);
}
export function readSpeculation(index: u32): u64 {
  return index == SPEC_CTRL ? load<u64>(L.MSR_SPEC_CTRL) : NO_WEAKNESS | NO_LATER_WEAKNESS;
}
export function writeSpeculation(index: u32, value: u64): void {
  if (value & ~(index == SPEC_CTRL ? SPEC_CTRL_DEFINED : 1)) fault(GP, 0);
  if (index == SPEC_CTRL) store<u64>(L.MSR_SPEC_CTRL, value); // an IBPB has nothing to forget
}
