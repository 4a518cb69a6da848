/** Runs until any vCPU arrives at one of some addresses. */
import type { GuestDebugApi, StopRecord } from '../guestdebug/api.ts';
import type { Plan, PlanAnswer } from './plan.ts';

export class RunToAddresses implements Plan {
  private readonly api: GuestDebugApi;
  private readonly addresses: readonly bigint[];
  private disposed = false;
  private readonly ids: number[] = [];

  constructor(api: GuestDebugApi, addresses: readonly bigint[]) {
    this.api = api;
    this.addresses = addresses;
  }

  /** More addresses, while it runs. */
  add(addresses: readonly bigint[]): void {
    if (this.disposed) return;
    for (const linear of addresses) {
      const result = this.api.set({ kind: 'execution', linear, owner: 'step' });
      if (result.verified) this.ids.push(result.id);
    }
  }

  start(): Promise<PlanAnswer> {
    this.add(this.addresses);
    return Promise.resolve({ kind: 'resume', how: { kind: 'continue' } });
  }
  stopped(record: StopRecord): Promise<PlanAnswer> {
    const stoppers = record.kind === 'bp' ? this.api.stoppers(record) : [];
    // A breakpoint of the user at the same place is the better reason.
    const mine = stoppers.length > 0 && stoppers.every((id) => this.ids.includes(id));
    return Promise.resolve(mine ? { kind: 'done', vcpu: record.vcpu } : { kind: 'report' });
  }
  dispose(): void {
    this.disposed = true;
    for (const id of this.ids.splice(0)) this.api.remove(id);
  }
}
