/**
 * Execution breakpoints of the debugger, shared by address: several breakpoints of the user and those of a running step
 * may want the same place, the guest-debug layer sees one overlay there.
 */
import type { GuestDebugApi } from '../guestdebug/api.ts';

/** Somebody who wants to know when a vCPU arrives at an address. `arrive` runs inside the machine and must not wait. */
export interface OverlayOwner {
  readonly id: number;
  /** Temporary ones belong to a step and are never the reason that the user sees. */
  readonly temporary: boolean;
  arrive(vcpu: number): 'stop' | 'continue';
}

export interface Arrival {
  readonly linear: bigint;
  /** Those that said stop. */
  readonly owners: readonly OverlayOwner[];
}

interface Place {
  readonly id: number;
  readonly owners: Set<OverlayOwner>;
}

export type OverlayResult =
  { readonly verified: true; readonly message: string } | { readonly verified: false; readonly message: string };

export class Overlays {
  private readonly places = new Map<bigint, Place>();
  /** The last arrival of each vCPU that stopped it. */
  private readonly arrivals = new Map<number, Arrival>();
  private readonly api: Pick<GuestDebugApi, 'set' | 'remove'>;

  constructor(api: Pick<GuestDebugApi, 'set' | 'remove'>) {
    this.api = api;
  }

  add(linear: bigint, owner: OverlayOwner): OverlayResult {
    const existing = this.places.get(linear);
    if (existing !== undefined) {
      existing.owners.add(owner);
      return { verified: true, message: '' };
    }
    const result = this.api.set({ kind: 'overlay', linear, filter: (vcpu) => this.arrive(linear, vcpu) });
    if (!result.verified) return result;
    this.places.set(linear, { id: result.id, owners: new Set([owner]) });
    return { verified: true, message: result.message };
  }

  remove(linear: bigint, owner: OverlayOwner): void {
    const place = this.places.get(linear);
    if (place === undefined || !place.owners.delete(owner) || place.owners.size > 0) return;
    this.places.delete(linear);
    this.api.remove(place.id);
  }

  private arrive(linear: bigint, vcpu: number): 'stop' | 'continue' {
    const owners = this.ask(linear, vcpu, () => true);
    if (owners.length === 0) return 'continue';
    this.arrivals.set(vcpu, { linear, owners });
    return 'stop';
  }

  private ask(linear: bigint, vcpu: number, choose: (owner: OverlayOwner) => boolean): readonly OverlayOwner[] {
    const owners = this.places.get(linear)?.owners;
    if (owners === undefined) return [];
    // Every owner is asked, so that hit counts and log points do not depend on who comes first.
    return [...owners].filter((owner) => choose(owner) && owner.arrive(vcpu) === 'stop');
  }

  /** Who stopped the vCPU at this address, if it was an overlay. */
  arrivalOf(vcpu: number, linear: bigint): Arrival | undefined {
    const arrival = this.arrivals.get(vcpu);
    return arrival?.linear === linear ? arrival : undefined;
  }

  /** A vCPU's event was acknowledged: its arrival is history. Those of queued events stay. */
  forgetArrival(vcpu: number): void {
    this.arrivals.delete(vcpu);
  }

  /**
   * Somebody put an overlay where a vCPU stands already, before its instruction has run: asks everybody there.
   * @returns those that want to stop.
   */
  arriveLate(linear: bigint, vcpu: number): readonly OverlayOwner[] {
    return this.arrive(linear, vcpu) === 'stop' ? (this.arrivals.get(vcpu)?.owners ?? []) : [];
  }

  /**
   * A step passed over the address under a lease, which the overlay did not see: asks the user's breakpoints there.
   * @returns those that want to stop.
   */
  passBy(linear: bigint, vcpu: number): readonly OverlayOwner[] {
    const owners = this.ask(linear, vcpu, (owner) => !owner.temporary);
    if (owners.length > 0) this.arrivals.set(vcpu, { linear, owners });
    return owners;
  }
}
