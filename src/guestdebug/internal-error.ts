// Unknown cases fail hard (guest-debug-spec 2.9): the world stops once with a dump; the emulator never aborts.
import type { InternalFault, LedgerEntry } from './api.ts';
import type { Parts } from './parts.ts';
import { DUMP_DECISIONS, SLOT_COUNT } from './policy.ts';

export interface InternalError {
  readonly fault: InternalFault;
  readonly dump: InternalErrorDump;
}
/** Everything that the spec asks a dump to hold; lines of words/internal-errors.ts. */
export interface InternalErrorDump {
  readonly vcpu: number;
  readonly pc: bigint;
  /** Machine code at `pc`, as far as it can be read. */
  readonly code: Uint8Array;
  readonly guest: { readonly addresses: readonly bigint[]; readonly dr6: bigint; readonly dr7: bigint };
  readonly host: { readonly addresses: readonly bigint[]; readonly dr7: bigint };
  /** DR6 positions of causes that wait for delivery. */
  readonly pending: { readonly guest: number; readonly host: number };
  readonly shadow: 'none' | 'sti' | 'movss';
  /** The last decisions of the layer, the newest last. */
  readonly decisions: readonly LedgerEntry[];
}
type InternalErrorParts = Pick<Parts, 'state' | 'observer' | 'slots' | 'instructions' | 'ledger'>;

export class InternalErrors {
  /** The last one; stays after its stop for whoever wants to look. */
  last: InternalError | undefined;
  private waiting: InternalError | undefined;
  private readonly said = new Set<string>();
  private readonly parts: InternalErrorParts;
  constructor(parts: InternalErrorParts) {
    this.parts = parts;
  }
  /** Raises an error once; the same one again is silent. Answers whether it is new. */
  raise(fault: InternalFault): boolean {
    const { code, vcpu } = fault;
    const key = `${code} ${vcpu} ${this.parts.state.pc(vcpu)}`;
    if (this.said.has(key)) return false;
    this.said.add(key);
    this.last = { fault, dump: this.dump(vcpu) };
    this.waiting = this.last;
    return true;
  }
  /** Raises an error and stops the world for it at the vCPU's next boundary. */
  stop(fault: InternalFault): void {
    if (this.raise(fault)) this.parts.observer.stopAtNextBoundary(fault.vcpu);
  }
  get pending(): boolean {
    return this.waiting !== undefined;
  }
  /** The error that has not stopped the world yet. */
  take(): InternalError | undefined {
    const error = this.waiting;
    this.waiting = undefined;
    return error;
  }
  private dump(vcpu: number): InternalErrorDump {
    const { state, observer, slots, instructions, ledger } = this.parts;
    const pc = state.pc(vcpu);
    const { addresses, dr7 } = slots.image(vcpu);
    const guest = Array.from({ length: SLOT_COUNT }, (_, index) => state.guestAddress(vcpu, index));
    return {
      vcpu,
      pc,
      code: instructions.bytesAt(vcpu, pc),
      guest: { addresses: guest, dr6: state.guestDr6(vcpu), dr7: state.guestDr7(vcpu) },
      host: { addresses: [...addresses], dr7 },
      pending: { guest: state.guestPending(vcpu), host: observer.pendingHost(vcpu) },
      shadow: state.shadow(vcpu),
      decisions: ledger.read(ledger.size - DUMP_DECISIONS, DUMP_DECISIONS),
    };
  }
}
