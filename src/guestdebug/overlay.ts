// Overlay breakpoints: execution breakpoints in a table keyed by linear address. No byte of guest memory changes, so an
// address need not be mapped, nor does swapping or overwriting its page matter (guest-debug-spec 4.9).
import { CR3_BASE } from './vcpu-state.ts';

export interface Overlay {
  readonly id: number;
  readonly linear: bigint;
  /** Page-table base that limits it; undefined: every address space. */
  readonly cr3: bigint | undefined;
  readonly vcpus: ReadonlySet<number>;
}
interface Entry extends Overlay {
  enabled: boolean;
}

export class Overlays {
  private readonly byAddress = new Map<bigint, Entry[]>();
  private readonly byId = new Map<number, Entry>();
  private live = 0;

  /** Idempotent: the same id twice is one entry. */
  add(overlay: Overlay): void {
    if (this.byId.has(overlay.id)) return;
    const entry: Entry = { ...overlay, enabled: true };
    this.byId.set(overlay.id, entry);
    this.change(overlay.linear, (entries) => [...entries, entry]);
  }
  /** Removing what is not there is no error. */
  remove(id: number): void {
    const entry = this.byId.get(id);
    if (entry === undefined) return;
    this.byId.delete(id);
    this.change(entry.linear, (entries) => entries.filter((other) => other !== entry));
  }
  setEnabled(id: number, enabled: boolean): void {
    const entry = this.byId.get(id);
    if (entry === undefined) return;
    this.change(entry.linear, (entries) => {
      entry.enabled = enabled;
      return entries;
    });
  }
  private change(linear: bigint, edit: (entries: readonly Entry[]) => readonly Entry[]): void {
    const before = this.isSplit(linear);
    const entries = [...edit(this.byAddress.get(linear) ?? [])];
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
