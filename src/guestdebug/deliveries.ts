// Every #DB and #BP that the guest gets passes here at its delivery: it is attributed by the ownership table, counted on
// its guest slots, and written to the ledger. What no row claims is an internal error (guest-debug-spec 2.9).
import type { Delivery } from '../machine/api.ts';
import { slotEnabled, slotFields } from './debug-registers.ts';
import { trapInstruction } from './instruction-reader.ts';
import type { OwnershipRow } from './ownership.ts';
import { attributeGuest } from './ownership.ts';
import type { Parts } from './parts.ts';
import { DR6_FIXED, SLOT_COUNT } from './policy.ts';
import { guestCause } from './trap-log.ts';

const VECTOR_DB = 1;
const VECTOR_BP = 3;

type DeliveryParts = Pick<Parts, 'state' | 'observer' | 'instructions' | 'log' | 'errors'>;

export class Deliveries {
  private readonly parts: DeliveryParts;
  private readonly hits: number[][];
  private readonly injected = new Map<number, number>();
  constructor(parts: DeliveryParts) {
    this.parts = parts;
    this.hits = Array.from({ length: parts.state.count }, () => Array.from({ length: SLOT_COUNT }, () => 0));
  }
  /** The next delivery of this vector on this vCPU was asked for by the control call. */
  expectInjected(vcpu: number, vector: number): void {
    this.injected.set(vcpu, vector);
  }
  /** Deliveries of #DB that named guest slot `index`. */
  guestHits(vcpu: number, index: number): number {
    return this.hits[vcpu]?.[index] ?? 0;
  }
  /** Runs inside the machine, right after a successful delivery. */
  delivered(delivery: Delivery): void {
    const { vector, vcpu, rip } = delivery;
    if (vector !== VECTOR_DB && vector !== VECTOR_BP) return;
    const row = this.attribute(delivery);
    if (row === undefined) {
      this.parts.errors.stop({ code: 'unattributed', vcpu, vector, rip });
      return;
    }
    const dr6 = delivery.dr6 ?? this.parts.state.guestDr6(vcpu);
    if (row.cause === 'guestDb') this.countSlots(vcpu, dr6);
    const disposition = this.parts.observer.takeAccepted(vcpu) ? 'caughtDelivered' : 'reinjected';
    const { log } = this.parts;
    log.note({
      vcpu,
      vector,
      rip,
      owner: 'guest',
      disposition,
      rule: row.rule,
      causes: [guestCause(row.cause)],
      dr6Guest: dr6,
    });
  }
  private attribute({ vcpu, vector, kind, rip, dr6 }: Delivery): OwnershipRow | undefined {
    const { state, instructions } = this.parts;
    const injected = this.injected.get(vcpu) === vector;
    if (injected) this.injected.delete(vcpu);
    if (kind === 'interrupt' || kind === 'nmi') return undefined;
    const long = state.mode(vcpu) === 'long';
    const instruction = trapInstruction(instructions.bytesAt(vcpu, rip), long);
    return attributeGuest({
      vector,
      // INT3 is a software exception: only CD 03 and CD 01 are software interrupts.
      kind: kind === 'softwareInterrupt' && instruction.kind === 'interrupt' ? 'softwareInterrupt' : 'exception',
      causes: dr6 ?? DR6_FIXED,
      atExecuteSlot: this.atExecuteSlot(vcpu, rip),
      icebp: instruction.kind === 'icebp',
      injected,
    });
  }
  private atExecuteSlot(vcpu: number, rip: bigint): boolean {
    const { state } = this.parts;
    const dr7 = state.guestDr7(vcpu);
    for (let index = 0; index < SLOT_COUNT; index++) {
      if (!slotEnabled(dr7, index) || state.guestAddress(vcpu, index) !== rip) continue;
      if (slotFields(dr7, index).type === 'execute') return true;
    }
    return false;
  }
  private countSlots(vcpu: number, dr6: bigint): void {
    const counters = this.hits[vcpu];
    if (counters === undefined) return;
    for (let index = 0; index < SLOT_COUNT; index++) {
      if ((dr6 & (1n << BigInt(index))) !== 0n) counters[index] = (counters[index] ?? 0) + 1;
    }
  }
}
