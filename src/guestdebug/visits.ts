// Which execution breakpoints were asked while a vCPU stands still at its place. Each is asked once for a visit, however it
// came to be asked: at the boundary (line 9), or late, because a step led there or it was set afterwards.
export interface LateStop {
  readonly id: number;
  /** Why its filter could not decide. */
  readonly reason?: string;
}
interface Visit {
  readonly linear: bigint;
  readonly asked: Set<number>;
  /** Those that were asked late and would have stopped the vCPU. */
  readonly late: LateStop[];
}

export class Visits {
  private readonly visits = new Map<number, Visit>();

  private at(vcpu: number, linear: bigint): Visit | undefined {
    const visit = this.visits.get(vcpu);
    return visit?.linear === linear ? visit : undefined;
  }
  /** A vCPU came to an address; these were asked there. */
  arrived(vcpu: number, linear: bigint, ids: Iterable<number>): void {
    this.visits.set(vcpu, { linear, asked: new Set(ids), late: [] });
  }
  /** One more was asked while it stays there; `stops`: it would have stopped the vCPU. */
  late(vcpu: number, linear: bigint, id: number, stops: LateStop | undefined): void {
    const visit = this.at(vcpu, linear) ?? { linear, asked: new Set<number>(), late: [] };
    visit.asked.add(id);
    if (stops !== undefined) visit.late.push(stops);
    this.visits.set(vcpu, visit);
  }
  wasAsked(vcpu: number, linear: bigint, id: number): boolean {
    return this.at(vcpu, linear)?.asked.has(id) === true;
  }
  lateStops(vcpu: number, linear: bigint): readonly LateStop[] {
    return this.at(vcpu, linear)?.late ?? [];
  }
  /** The vCPU goes on. */
  leave(vcpu: number): void {
    this.visits.delete(vcpu);
  }
  clear(): void {
    this.visits.clear();
  }
}
