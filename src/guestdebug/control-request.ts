// Validation of the raw control call's request (guest-debug-spec 2.1, CTL-1, CTL-4, CTL-8): everything is checked before
// anything changes. Named predicates, no inline masks (CTL-13).
import type { ControlRefusal } from './api.ts';
import { isCanonical, slotEnabled, slotFields } from './debug-registers.ts';
import {
  CONTROL_CATCH,
  CONTROL_ENABLE,
  CONTROL_INJECT,
  CONTROL_SUPPORTED,
  DR6_INJECTABLE,
  INSTRUCTION_MAX,
  SLOT_COUNT,
} from './policy.ts';
import * as P from './policy.ts';
import type { RawSlot } from './slots.ts';

export interface ControlRequest {
  readonly control: number;
  readonly pad: number;
  readonly debugreg: readonly bigint[];
  readonly insnLength?: number;
}
export type ControlCode = 'OK' | 'EINVAL' | 'EBUSY' | 'ENOSPC' | 'ENOTSUP';
export interface ControlError {
  readonly code: Exclude<ControlCode, 'OK'>;
  readonly refusal: ControlRefusal;
}
/** The request as the layer uses it: with ENABLE clear, all but the INJECT pair reads as 0. */
export interface ParsedControl {
  readonly stored: number;
  readonly slots: readonly (RawSlot | undefined)[];
  /** DR7 bits that belong to no slot: general detect. */
  readonly extra: bigint;
  readonly injectDb: boolean;
  readonly injectBp: boolean;
  readonly payload: bigint;
}

export const controlHas = (word: number, bit: number): boolean => (word & bit) !== 0;
const GENERAL_DETECT = 1n << 13n;
const REGISTERS = 8;
const DR6_INDEX = 6;
const DR7_INDEX = 7;
const PORT_MAX = 0xffffn;

const invalid = (refusal: ControlRefusal): ControlError => ({ code: 'EINVAL', refusal });
export const isControlError = (value: ParsedControl | ControlError): value is ControlError => 'code' in value;

export function parseControl(request: ControlRequest): ParsedControl | ControlError {
  const { control, debugreg } = request;
  const known = CONTROL_SUPPORTED;
  if (!Number.isInteger(control) || control < 0 || control > 0xffffffff) return invalid({ kind: 'notAWord' });
  const unknown = (control & ~known) >>> 0;
  if (unknown !== 0) return invalid({ kind: 'unknownBits', bits: unknown });
  if (request.pad !== 0) return invalid({ kind: 'pad', pad: request.pad });
  if (debugreg.length !== REGISTERS)
    return invalid({ kind: 'registerCount', count: debugreg.length, wanted: REGISTERS });
  if (debugreg.some((value) => value < 0n || value >= 1n << 64n)) return invalid({ kind: 'tooWide' });
  const injectDb = controlHas(control, P.CONTROL_INJECT_DB);
  const injectBp = controlHas(control, P.CONTROL_INJECT_BP);
  if (injectDb && injectBp) return invalid({ kind: 'bothInjections' });
  const length = request.insnLength;
  if (length !== undefined && !(Number.isInteger(length) && length >= 1 && length <= INSTRUCTION_MAX)) {
    return invalid({ kind: 'instructionLength', length, most: INSTRUCTION_MAX });
  }
  const enabled = controlHas(control, CONTROL_ENABLE);
  const stored = enabled ? (control & ~CONTROL_INJECT) >>> 0 : 0;
  const payload = debugreg[DR6_INDEX] ?? 0n;
  const bad = badFixed(debugreg, injectDb, payload);
  if (bad !== undefined) return invalid(bad);
  if (!controlHas(stored, P.CONTROL_HARDWARE_BREAKPOINTS)) {
    const empty = Array.from({ length: SLOT_COUNT }, () => undefined);
    return { stored, slots: empty, extra: 0n, injectDb, injectBp, payload };
  }
  const dr7 = debugreg[DR7_INDEX] ?? 0n;
  if (dr7 >> 32n !== 0n) return invalid({ kind: 'dr7Wide', value: dr7 });
  const slots: (RawSlot | undefined)[] = [];
  for (let index = 0; index < SLOT_COUNT; index++) {
    const slot = parseSlot(dr7, index, debugreg[index] ?? 0n);
    if (slot !== undefined && 'kind' in slot) return invalid(slot);
    slots.push(slot);
  }
  return { stored, slots, extra: dr7 & GENERAL_DETECT, injectDb, injectBp, payload };
}

function badFixed(debugreg: readonly bigint[], injectDb: boolean, payload: bigint): ControlRefusal | undefined {
  for (const index of [4, 5]) {
    const value = debugreg[index] ?? 0n;
    if (value !== 0n) return { kind: 'registerNotZero', index, value, injectDb };
  }
  if (!injectDb && payload !== 0n) return { kind: 'registerNotZero', index: DR6_INDEX, value: payload, injectDb };
  const unknown = payload & ~DR6_INJECTABLE;
  return unknown === 0n ? undefined : { kind: 'noCause', bits: unknown };
}
function parseSlot(dr7: bigint, index: number, address: bigint): RawSlot | ControlRefusal | undefined {
  if (!slotEnabled(dr7, index)) return undefined;
  const { type, length } = slotFields(dr7, index);
  if (type === 'execute' && length !== 1) return { kind: 'slotLength', slot: index, type, length };
  if (type === 'io' && length === 8) return { kind: 'slotLength', slot: index, type, length };
  if (address % BigInt(length) !== 0n) return { kind: 'slotAlignment', slot: index, address, length };
  if (type === 'io' && address > PORT_MAX) return { kind: 'slotPort', slot: index, address };
  if (type !== 'io' && !isCanonical(address)) return { kind: 'slotAddress', slot: index, address };
  return { type, length, address };
}

/** Catch bits of the control word as the observer's CATCH_* bits. */
export function catchBits(word: number): number {
  return (word & CONTROL_CATCH) >>> P.CONTROL_CATCH_SHIFT;
}
