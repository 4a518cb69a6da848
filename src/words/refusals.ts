// The exact sentences with which a breakpoint is refused or told where it went (guest-debug-spec 3.3). Nothing is ever
// silently downgraded, and nobody reads facts out of these sentences: they are in the values.
import type { BreakpointStatus } from '../debugger/user-breakpoints.ts';
import type { Placement, Refusal, SlotHolder } from '../guestdebug/api.ts';
import { hex } from './places.ts';
import { english, type Translate } from './translate.ts';

/** What a breakpoint is called; absent: its number. */
export type NameOfBreakpoint = (id: number) => string | undefined;
const byNumber: NameOfBreakpoint = () => undefined;
/** As many as the architecture has address registers (SDM 3B 18.2.1). */
const SLOT_COUNT = 4;

export function refusalText(refusal: Refusal, nameOf = byNumber, t: Translate = english): string {
  switch (refusal.kind) {
    case 'detached':
      return t('The debugger is detached from this machine.');
    case 'noAddress':
      return t('A breakpoint needs an address.');
    case 'noVcpu':
      return t('The list of vCPUs is empty: name at least one, or leave the list out for all.');
    case 'noSuchVcpu': {
      const { vcpu, count } = refusal;
      return t('vCPU {vcpu} does not exist: the machine has vCPU 0 to {last}.', { vcpu, last: count - 1 });
    }
    case 'invalidRange':
      return t('Invalid range.');
    case 'invalidAddress':
      return t('Address {address} is not valid in 64-bit mode.', { address: hex(refusal.address) });
    case 'tooManySlots': {
      const { size, needs } = refusal;
      return t('Range of {size} bytes needs {needs} slots; x86 has {slots}.', { size, needs, slots: SLOT_COUNT });
    }
    case 'readOnlyExact':
      return t(
        'x86 has no comparator for reads alone: use readWrite, or set coverPolicy to windows, which filters the writes out.',
      );
    case 'slotWithCr3':
      return t(
        'A debug register compares addresses in every address space: use an overlay to limit the breakpoint to one.',
      );
    case 'noSlotFree': {
      const { vcpu, needs, free, holders } = refusal;
      const inUse = holdersText(holders, nameOf, t);
      return t(
        'No debug-register slot free: needs {needs}, {free} of {slots} free on vCPU {vcpu} (in use: {inUse}). Remove one or shorten the range.',
        { needs, free, slots: SLOT_COUNT, vcpu, inUse },
      );
    }
  }
}
/** `2 of 4: H0 write 8 at 0x1000, breakpoint 1; H2 execute 1 at 0x2000, raw control call`. */
export function holdersText(holders: readonly SlotHolder[], nameOf = byNumber, t: Translate = english): string {
  const nameOrNumber = (id: number): string => nameOf(id) ?? t('breakpoint {id}', { id });
  const each = holders.map(({ index, type, length, address, owners }) => {
    const who = owners.length === 0 ? t('raw control call') : owners.map(nameOrNumber).join(' + ');
    return t('H{index} {type} {length} at {address}, {who}', { index, type, length, address: hex(address), who });
  });
  return t('{used} of {slots}: {each}', { used: holders.length, slots: SLOT_COUNT, each: each.join('; ') });
}
/** `H0,H1 (2 of 4)`, `overlay at 0x1000`. */
export function placementText(placement: Placement, t: Translate = english): string {
  if (placement.kind === 'slots') {
    const slots = placement.slots.map((index) => `H${index}`).join(',');
    return t('{slots} ({used} of {count})', { slots, used: placement.used, count: SLOT_COUNT });
  }
  const [first] = placement.addresses;
  return first === undefined ? '' : t('overlay at {address}', { address: hex(first) });
}

/** The message beside a breakpoint: why it was refused, what is to be said of its place, or where it was put. */
export function breakpointText(
  { refusal, placement, place }: Pick<BreakpointStatus, 'refusal' | 'placement' | 'place'>,
  nameOf = byNumber,
  t: Translate = english,
): string | undefined {
  if (refusal !== undefined) return refusalText(refusal, nameOf, t);
  if (place.kind !== 'data' && place.message !== undefined && place.message !== '') return place.message;
  const text = placement === undefined ? '' : placementText(placement, t);
  return text === '' ? undefined : text;
}
