/** Runs until any vCPU arrives at one of some addresses. */
import type { StopRecord } from '../guestdebug/api.ts';
import type { OverlayOwner, Overlays } from './overlays.ts';
import type { Plan, PlanAnswer } from './plan.ts';

export class RunToAddresses implements Plan {
  private readonly overlays: Overlays;
  private readonly addresses: Set<bigint>;
  private disposed = false;
  private readonly owner: OverlayOwner = { id: 0, temporary: true, arrive: () => 'stop' };

  constructor(overlays: Overlays, addresses: readonly bigint[]) {
    this.overlays = overlays;
    this.addresses = new Set(addresses);
  }

  /** More addresses, while it runs. */
  add(addresses: readonly bigint[]): void {
    if (this.disposed) return;
    for (const address of addresses) {
      this.addresses.add(address);
      this.overlays.add(address, this.owner);
    }
  }

  start(): Promise<PlanAnswer> {
    for (const address of this.addresses) this.overlays.add(address, this.owner);
    return Promise.resolve({ kind: 'resume', how: { kind: 'continue' } });
  }
  stopped(record: StopRecord): Promise<PlanAnswer> {
    const owners = this.overlays.arrivalOf(record.vcpu, record.pc)?.owners ?? [];
    const mine = record.kind === 'bp' && owners.includes(this.owner);
    // A breakpoint of the user at the same place is the better reason.
    return Promise.resolve(mine && owners.length === 1 ? { kind: 'done', vcpu: record.vcpu } : { kind: 'report' });
  }
  dispose(): void {
    this.disposed = true;
    for (const address of this.addresses) this.overlays.remove(address, this.owner);
  }
}
