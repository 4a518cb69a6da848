// Since when each vCPU cannot be interrupted: what tells a guest that hangs from one that is idle. It is looked at between
// slices, so a vCPU that opens its interrupts for a moment between two looks is found out by the interrupt that it takes,
// if by nothing else. Host state: no guest ever sees it, and no digest covers it.

export class InterruptWatch {
  /** When it was last known that an interrupt could be delivered. */
  private readonly open: bigint[];

  constructor(vcpus: number) {
    this.open = Array.from({ length: vcpus }, () => 0n);
  }
  /** An interrupt can be delivered, or is being delivered, at this virtual time. */
  note(vcpu: number, now: bigint): void {
    this.open[vcpu] = now;
  }
  /** For how long it has been shut. */
  shutFor(vcpu: number, now: bigint): bigint {
    const since = this.open[vcpu] ?? now;
    return now > since ? now - since : 0n;
  }
  /** Another point in time was restored: nothing is known of what came before. */
  forget(now: bigint): void {
    this.open.fill(now);
  }
}
