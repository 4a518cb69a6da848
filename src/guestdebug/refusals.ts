// The exact sentences with which a breakpoint is refused or told where it went (guest-debug-spec 3.3). Nothing is ever
// silently downgraded, and nobody reads facts out of these sentences: they are in the values.
import type { Placement, Refusal, SlotHolder } from './api.ts';
import { hex } from './debug-registers.ts';
import { SLOT_COUNT } from './policy.ts';

/** What a breakpoint is called; by default its number. */
export type NameOf = (id: number) => string;
const byNumber: NameOf = (id) => `breakpoint ${id}`;

export function refusalText(refusal: Refusal, nameOf: NameOf = byNumber): string {
  switch (refusal.kind) {
    case 'detached':
      return 'The debugger is detached from this machine.';
    case 'noAddress':
      return 'A breakpoint needs an address.';
    case 'noVcpu':
      return 'The list of vCPUs is empty: name at least one, or leave the list out for all.';
    case 'noSuchVcpu':
      return `vCPU ${refusal.vcpu} does not exist: the machine has vCPU 0 to ${refusal.count - 1}.`;
    case 'invalidRange':
      return 'Invalid range.';
    case 'invalidAddress':
      return `Address ${hex(refusal.address)} is not valid in 64-bit mode.`;
    case 'tooManySlots':
      return `Range of ${refusal.size} bytes needs ${refusal.needs} slots; x86 has ${SLOT_COUNT}.`;
    case 'readOnlyExact':
      return 'x86 has no comparator for reads alone: use readWrite, or set coverPolicy to windows, which filters the writes out.';
    case 'slotWithCr3':
      return 'A debug register compares addresses in every address space: use an overlay to limit the breakpoint to one.';
    case 'noSlotFree': {
      const { vcpu, needs, free, holders } = refusal;
      const inUse = holdersText(holders, nameOf);
      return `No debug-register slot free: needs ${needs}, ${free} of ${SLOT_COUNT} free on vCPU ${vcpu} (in use: ${inUse}). Remove one or shorten the range.`;
    }
  }
}
/** `2 of 4: H0 write 8 at 0x1000, breakpoint 1; H2 execute 1 at 0x2000, raw control call`. */
export function holdersText(holders: readonly SlotHolder[], nameOf: NameOf = byNumber): string {
  const each = holders.map(({ index, type, length, address, owners }) => {
    const who = owners.length === 0 ? 'raw control call' : owners.map(nameOf).join(' + ');
    return `H${index} ${type} ${length} at ${hex(address)}, ${who}`;
  });
  return `${holders.length} of ${SLOT_COUNT}: ${each.join('; ')}`;
}
export function placementText(placement: Placement): string {
  if (placement.kind === 'slots') {
    return `${placement.slots.map((index) => `H${index}`).join(',')} (${placement.used} of ${SLOT_COUNT})`;
  }
  const [first] = placement.addresses;
  return first === undefined ? '' : `overlay at ${hex(first)}`;
}
