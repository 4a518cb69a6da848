// Carries what the tables say to the engine: host banks, catch filters, splits. The tables are the truth; the observer
// part of each vCPU is their image, rewritten whole on every change (CTL-13: no clear without its set).
import type { Parts } from './parts.ts';

type ProgrammingParts = Pick<
  Parts,
  'state' | 'observer' | 'overlays' | 'slots' | 'register' | 'controlWords' | 'errors'
>;

/** Vectors whose delivery the ledger wants to see. */
const OBSERVED_VECTORS = (1 << 1) | (1 << 3);

export class BankProgramming {
  private readonly parts: ProgrammingParts;
  /** Addresses of execution slots as last programmed. */
  private executeAddresses: ReadonlySet<bigint> = new Set();
  constructor(parts: ProgrammingParts) {
    this.parts = parts;
  }
  private get all(): number[] {
    return Array.from({ length: this.parts.state.count }, (_, index) => index);
  }
  /** Attach: the engine tells of guest #DB and #BP. */
  observeVectors(on: boolean): void {
    for (const vcpu of this.all) this.parts.observer.setObservedVectors(vcpu, on ? OBSERVED_VECTORS : 0);
  }
  /** Writes a vCPU's bank and filters without throwing derived state away: for a vCPU that just came up. */
  load(vcpu: number): void {
    const { observer, slots, controlWords } = this.parts;
    const { addresses, dr7 } = slots.image(vcpu);
    observer.setBank(vcpu, addresses, dr7);
    observer.setCatch(vcpu, controlWords.catchBits(vcpu));
    observer.setObservedVectors(vcpu, OBSERVED_VECTORS);
  }
  /** Slots or filters changed. Not inside an instruction. */
  banks(vcpus: readonly number[] = this.all): void {
    const { observer, slots, controlWords } = this.parts;
    for (const vcpu of vcpus) {
      const { addresses, dr7 } = slots.image(vcpu);
      observer.setBank(vcpu, addresses, dr7);
      observer.setCatch(vcpu, controlWords.catchBits(vcpu));
    }
    observer.refresh(vcpus);
    const before = this.executeAddresses;
    this.executeAddresses = slots.executeAddresses();
    observer.dropBlocksAt([...before].filter((address) => !this.executeAddresses.has(address)));
    observer.dropBlocksAt([...this.executeAddresses].filter((address) => !before.has(address)));
    this.checkAccounting(vcpus);
  }
  /** Slots in use and free are four on every vCPU, and every owner exists (3.2). */
  private checkAccounting(vcpus: readonly number[]): void {
    const { slots, register, errors } = this.parts;
    const wrong = slots.violation((id) => register.get(id) !== undefined);
    if (wrong !== undefined) errors.stop({ code: 'slotAccounting', vcpu: vcpus[0] ?? 0, violation: wrong });
  }
  /** Splits at these addresses came or went: one recount, and the blocks there are decoded anew. */
  splits(vcpu: number, addresses: Iterable<bigint>): void {
    this.parts.observer.refresh([vcpu]);
    this.parts.observer.dropBlocksAt(addresses);
  }
}
