// The exact sentences with which a breakpoint is refused (guest-debug-spec 3.3). Nothing is ever silently downgraded.
import { hex } from './debug-registers.ts';
import { SLOT_COUNT } from './policy.ts';
import type { Shortage } from './slots.ts';

export const INVALID_RANGE = 'Invalid range.';
export const READ_ONLY_EXACT =
  'x86 has no comparator for reads alone: use readWrite, or set coverPolicy to windows, which filters the writes out.';

export const invalidAddress = (address: bigint): string => `Address ${hex(address)} is not valid in 64-bit mode.`;
export const noSuchVcpu = (vcpu: number, count: number): string =>
  `vCPU ${vcpu} does not exist: the machine has vCPU 0 to ${count - 1}.`;
export const tooManySlots = (size: number, needs: number): string =>
  `Range of ${size} bytes needs ${needs} slots; x86 has ${SLOT_COUNT}.`;

export function noSlotFree({ vcpu, needs, free, holders }: Shortage): string {
  const what = `No debug-register slot free: needs ${needs}, ${free} of ${SLOT_COUNT} free on vCPU ${vcpu} (in use: ${holders}).`;
  return `${what} Remove one or shorten the range.`;
}
