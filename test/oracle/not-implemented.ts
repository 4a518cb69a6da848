// What iced-x86 decodes and the engine answers with #UD, on purpose. Anything else that is missing is a bug.
import type { Verdict } from './iced.ts';

/** Reasons by what they cover. */
const REASONS = {
  x87: 'x87 arithmetic needs extended precision in software; CPUID reports the unit, kernels only initialise it',
  mmx: 'MMX shares its registers with the x87; CPUID does not report it',
  float: 'SSE and SSE2 arithmetic on floating-point numbers is not there yet',
  absent: 'CPUID does not report the extension',
} as const;

/** SSE and SSE2 instructions that compute with, compare or convert floating-point numbers. */
const FLOAT = /^(Add|Sub|Mul|Div|Min|Max|Sqrt|Rsqrt|Rcp|Cmp|Comi|Ucomi)[ps][sd]_|^Cvt/;
/** Features that have a CPUID bit which the engine does not set. */
const REPORTED = /^(INTEL\d+|X64|SSE|SSE2|FXSR|CMOV|TSC|MSR|SYSCALL|SEP|CX8|CMPXCHG16B|CLFSH|CPUID|PAUSE|INVPCID)$/;

/** Why an instruction that iced knows is missing; undefined: it should be there. */
export function notImplemented(verdict: Verdict, features: readonly string[]): string | undefined {
  if (verdict.mmx || features.includes('MMX')) return REASONS.mmx;
  if (features.some((feature) => feature.startsWith('FPU'))) return REASONS.x87;
  if (FLOAT.test(verdict.code)) return REASONS.float;
  if (features.length > 0 && !features.every((feature) => REPORTED.test(feature))) return REASONS.absent;
  return undefined;
}
