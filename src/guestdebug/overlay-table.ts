// Overlay breakpoints: execution breakpoints in a table keyed by linear address. No byte of guest memory changes, so an
// address need not be mapped, nor does swapping or overwriting its page matter (guest-debug-spec 4.9).
import type { Placed, PlaceRequest, Places } from './places.ts';
import { addressesOf } from './places.ts';
import { CR3_BASE } from './vcpu-state.ts';

interface Entry {
  readonly id: number;
  readonly linear: bigint;
  /** Page-table base that limits it; undefined: every address space. */
  readonly cr3: bigint | undefined;
  readonly vcpus: ReadonlySet<number>;
  enabled: boolean;
}

export class OverlayTable implements Places {
  private readonly byAddress = new Map<bigint, readonly Entry[]>();
  private readonly byId = new Map<number, readonly Entry[]>();
  private live = 0;

  /** Idempotent: the same id twice is one entry. */
  take({ id, request, vcpus }: PlaceRequest): Placed {
    const addresses = addressesOf(request.linear);
    if (!this.byId.has(id)) {
      const cr3 = request.kind === 'execution' ? request.cr3 : undefined;
      const entries = addresses.map((linear): Entry => ({ id, linear, cr3, vcpus, enabled: true }));
      this.byId.set(id, entries);
      for (const entry of entries) this.change(entry.linear, (here) => [...here, entry]);
    }
    return { ok: true, placement: { kind: 'overlay', addresses } };
  }
  release(id: number): void {
    this.withdraw(id, () => true);
  }
  /** Gives back the addresses of a breakpoint that are chosen; the others stay. */
  withdraw(id: number, chosen: (linear: bigint) => boolean): void {
    const entries = this.byId.get(id) ?? [];
    const left = entries.filter(({ linear }) => !chosen(linear));
    if (left.length === 0) this.byId.delete(id);
    else this.byId.set(id, left);
    for (const entry of entries) {
      if (chosen(entry.linear)) this.change(entry.linear, (here) => here.filter((other) => other !== entry));
    }
  }
  setEnabled(id: number, enabled: boolean): void {
    for (const entry of this.byId.get(id) ?? []) {
      this.change(entry.linear, (here) => {
        entry.enabled = enabled;
        return here;
      });
    }
  }
  private change(linear: bigint, edit: (entries: readonly Entry[]) => readonly Entry[]): void {
    const before = this.isSplit(linear);
    const entries = edit(this.byAddress.get(linear) ?? []);
    if (entries.length === 0) this.byAddress.delete(linear);
    else this.byAddress.set(linear, entries);
    this.live += Number(this.isSplit(linear)) - Number(before);
  }
  /** Whether blocks must split at this address. */
  isSplit(linear: bigint): boolean {
    return this.byAddress.get(linear)?.some((entry) => entry.enabled) ?? false;
  }
  /** Number of addresses for which isSplit answers true. */
  get splitCount(): number {
    return this.live;
  }
  addresses(): Iterable<bigint> {
    return this.byAddress.keys();
  }
  /** Ids of the enabled overlays that a vCPU meets at an address. */
  matching(vcpu: number, linear: bigint, cr3: bigint): number[] {
    const entries = this.byAddress.get(linear);
    if (entries === undefined) return [];
    return entries
      .filter((entry) => entry.enabled && entry.vcpus.has(vcpu))
      .filter((entry) => entry.cr3 === undefined || (entry.cr3 & CR3_BASE) === (cr3 & CR3_BASE))
      .map((entry) => entry.id);
  }
}
