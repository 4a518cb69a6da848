// What iced-x86 decodes and the engine answers with #UD, on purpose. Anything else that is missing is a bug.

/** Features that have a CPUID bit which the engine does not set. */
const REPORTED =
  /^(INTEL\d+|X64|MMX|SSE|SSE2|SSE3|SSSE3|SSE4_[12]|FXSR|XSAVE|CMOV|TSC|MSR|SYSCALL|SEP|CX8|CMPXCHG16B|CLFSH|CLFLUSHOPT|CPUID|PAUSE|POPCNT|LZCNT|BMI1|BMI2|ADX|MOVBE|RDRAND|RDSEED|RDPID|RDTSCP|INVPCID|FPU|FPU287|FPU387)$/;

/** Why an instruction that iced knows is missing; undefined: it should be there. */
export function notImplemented(features: readonly string[]): string | undefined {
  return features.every((feature) => REPORTED.test(feature)) ? undefined : 'CPUID does not report the extension';
}
