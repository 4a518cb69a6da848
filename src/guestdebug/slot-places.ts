// Breakpoints in host slots: which comparators a request needs (3.3), and that all of them are there or none is taken.
import type { CoverPolicy, Refusal } from './api.ts';
import { cover, slotsNeeded } from './cover.ts';
import type { Placed, PlaceRequest, Places } from './places.ts';
import { addressesOf } from './places.ts';
import { SLOT_COUNT } from './policy.ts';
import type { HostSlots, SlotRequest } from './slots.ts';

export class SlotPlaces implements Places {
  private readonly slots: HostSlots;
  private readonly coverPolicy: CoverPolicy;
  constructor(slots: HostSlots, coverPolicy: CoverPolicy) {
    this.slots = slots;
    this.coverPolicy = coverPolicy;
  }
  take(wanted: PlaceRequest): Placed {
    const refusal = this.neverFits(wanted);
    if (refusal !== undefined) return { ok: false, refusal };
    const taken = this.slots.allocate({ id: wanted.id, vcpus: [...wanted.vcpus], parts: this.parts(wanted) });
    if (!taken.ok) return { ok: false, refusal: { kind: 'noSlotFree', ...taken.shortage } };
    return { ok: true, placement: { kind: 'slots', slots: taken.slots, used: taken.used } };
  }
  release(id: number): void {
    this.slots.release(id);
  }
  setEnabled(id: number, enabled: boolean): void {
    this.slots.setEnabled(id, enabled);
  }
  private neverFits({ request }: PlaceRequest): Refusal | undefined {
    if (request.kind === 'execution') {
      if (request.cr3 !== undefined) return { kind: 'slotWithCr3' };
      const needs = addressesOf(request.linear).length;
      return needs > SLOT_COUNT ? { kind: 'tooManySlots', size: needs, needs } : undefined;
    }
    const needs = slotsNeeded(request.linear, request.size, this.coverPolicy);
    if (needs > SLOT_COUNT) return { kind: 'tooManySlots', size: request.size, needs };
    if (request.access === 'read' && this.coverPolicy === 'exact') return { kind: 'readOnlyExact' };
    return undefined;
  }
  private parts({ request }: PlaceRequest): SlotRequest['parts'] {
    if (request.kind === 'execution') {
      return addressesOf(request.linear).map((address) => ({
        chunk: { address, length: 1 },
        start: address,
        size: 1,
        access: 'execute',
      }));
    }
    const { linear: start, size, access } = request;
    return cover(start, size, this.coverPolicy).map((chunk) => ({ chunk, start, size, access }));
  }
}
