// Unknown cases fail hard (guest-debug-spec 2.9): the world stops once with a dump; the emulator never aborts.
import type { Parts } from './parts.ts';
import { DUMP_DECISIONS, SLOT_COUNT } from './policy.ts';
import { hex } from './debug-registers.ts';

export type InternalErrorCode = 'unattributed' | 'lostLease' | 'slotAccounting' | 'stopWithoutEvent';
export interface InternalError {
  readonly code: InternalErrorCode;
  readonly vcpu: number;
  /** One sentence: what and where. */
  readonly message: string;
  /** Everything that the spec asks a dump to hold, as lines. */
  readonly dump: readonly string[];
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
  raise(code: InternalErrorCode, vcpu: number, message: string): boolean {
    const key = `${code} ${vcpu} ${this.parts.state.pc(vcpu)}`;
    if (this.said.has(key)) return false;
    this.said.add(key);
    this.last = { code, vcpu, message, dump: this.dump(vcpu) };
    this.waiting = this.last;
    return true;
  }
  /** Raises an error and stops the world for it at the vCPU's next boundary. */
  stop(code: InternalErrorCode, vcpu: number, message: string): void {
    if (this.raise(code, vcpu, message)) this.parts.observer.stopAtNextBoundary(vcpu);
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
  private dump(vcpu: number): string[] {
    const { state, observer, slots, instructions, ledger } = this.parts;
    const pc = state.pc(vcpu);
    const bytes = [...instructions.bytesAt(vcpu, pc)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    const image = slots.image(vcpu);
    const guest = Array.from({ length: SLOT_COUNT }, (_, index) => hex(state.guestAddress(vcpu, index)));
    const rows = ledger.read(ledger.size - DUMP_DECISIONS, DUMP_DECISIONS);
    return [
      `vCPU ${vcpu} at ${hex(pc)}: ${bytes}`,
      `guest DR0-3 ${guest.join(' ')} DR6 ${hex(state.guestDr6(vcpu))} DR7 ${hex(state.guestDr7(vcpu))}`,
      `host DR0-3 ${image.addresses.map(hex).join(' ')} DR7 ${hex(image.dr7)}`,
      `pending: guest ${hex(state.guestPending(vcpu))}, host ${hex(observer.pendingHost(vcpu))}; shadow ${state.shadow(vcpu)}`,
      ...rows.map(
        (row) => `${row.sequence} vCPU ${row.vcpu} ${row.cause} ${row.owner} ${row.disposition} (${row.rule})`,
      ),
    ];
  }
}
