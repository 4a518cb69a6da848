// What iced-x86 decodes and the engine answers with #UD, on purpose. Anything else that is missing is a bug.
import type { Verdict } from './iced.ts';

/** Reasons by what they cover. */
const REASONS = {
  mmx: 'MMX shares its registers with the x87; CPUID does not report it',
  absent: 'CPUID does not report the extension',
} as const;

/** With a memory operand these name no MMX register, but they make the x87 stack one of MMX registers all the same. */
const CONVERTS_MMX = /^Cvtpi2p[sd]_/;
/** Features that have a CPUID bit which the engine does not set. */
const REPORTED =
  /^(INTEL\d+|X64|SSE|SSE2|SSE3|SSSE3|SSE4_[12]|FXSR|XSAVE|CMOV|TSC|MSR|SYSCALL|SEP|CX8|CMPXCHG16B|CLFSH|CLFLUSHOPT|CPUID|PAUSE|POPCNT|LZCNT|BMI1|BMI2|ADX|MOVBE|RDRAND|RDSEED|RDPID|RDTSCP|INVPCID|FPU|FPU287|FPU387)$/;

/** Why an instruction that iced knows is missing; undefined: it should be there. */
export function notImplemented(verdict: Verdict, features: readonly string[]): string | undefined {
  if (verdict.mmx || features.includes('MMX') || CONVERTS_MMX.test(verdict.code)) return REASONS.mmx;
  if (features.length > 0 && !features.every((feature) => REPORTED.test(feature))) return REASONS.absent;
  return undefined;
}
