// Makes stop records (guest-debug-spec 2.2) from a vCPU's state at its boundary. Nothing in one is cached from earlier.
import type { Cause, StopDetail, StopRecord } from './api.ts';
import type { LastDelivery } from './last-delivery.ts';
import type { Delivered } from './observer-state.ts';
import { DR6_FIXED, DR6_GENERAL_DETECT, DR6_SINGLE_STEP } from './policy.ts';
import type { VcpuState } from './vcpu-state.ts';

/** Length of the instruction at a linear address of a vCPU, prefixes included; 0 when it cannot be read. */
export interface InstructionReader {
  lengthAt(vcpu: number, linear: bigint): number;
  bytesAt(vcpu: number, linear: bigint): Uint8Array;
}
export interface StopDescription {
  readonly vcpu: number;
  readonly kind: StopRecord['kind'];
  readonly exception: 0 | 1 | 3;
  readonly faultLike: boolean;
  readonly causes: readonly Cause[];
  /** Linear address of the instruction that caused it; default: where the vCPU is. */
  readonly causePc?: bigint;
  readonly delivery?: Delivered | undefined;
  /** DR6 positions of a guest #DB that was caught; default: the guest's pending causes. */
  readonly guestPending?: number;
  readonly detail?: StopDetail;
}

/** H-bank view of DR6: fixed ones and host causes only. */
export function hostDr6(causes: readonly Cause[]): bigint {
  let dr6 = DR6_FIXED;
  for (const { owner, cause, slot } of causes) {
    if (owner !== 'host') continue;
    if (slot !== undefined) dr6 |= 1n << BigInt(slot);
    if (cause === 'step' || cause === 'branchStep') dr6 |= DR6_SINGLE_STEP;
    if (cause === 'bd') dr6 |= DR6_GENERAL_DETECT;
  }
  return dr6;
}

export class StopRecords {
  private readonly state: VcpuState;
  private readonly instructions: InstructionReader;
  private readonly lastDelivery: Pick<LastDelivery, 'at'>;
  private next = 1;

  constructor(state: VcpuState, instructions: InstructionReader, lastDelivery: Pick<LastDelivery, 'at'>) {
    this.lastDelivery = lastDelivery;
    this.state = state;
    this.instructions = instructions;
  }
  /** Takes the next sequence number. */
  make(stop: StopDescription): StopRecord {
    const { state } = this;
    const { vcpu } = stop;
    const pc = state.pc(vcpu);
    const withLength = stop.exception === 3 || stop.kind === 'icebp';
    // A debug trap at the first instruction of a handler says which event led there; a step says what it ran into itself.
    const told = stop.exception !== 0 && !stop.causes.some(({ cause }) => cause === 'step' || cause === 'branchStep');
    const delivery = stop.delivery ?? (told ? this.lastDelivery.at(vcpu) : undefined);
    return {
      sequence: this.next++,
      vcpu,
      kind: stop.kind,
      exception: stop.exception,
      pc,
      faultLike: stop.faultLike,
      causePc: stop.faultLike ? pc : (stop.causePc ?? pc),
      instructionLength: withLength ? this.instructions.lengthAt(vcpu, pc) : 0,
      dr6: hostDr6(stop.causes),
      dr7: state.hostDr7(vcpu),
      guestDr6: state.guestDr6(vcpu),
      guestDr7: state.guestDr7(vcpu),
      guestPending: stop.guestPending ?? state.guestPending(vcpu),
      shadow: state.shadow(vcpu),
      causes: stop.causes,
      ...(delivery === undefined ? {} : { delivery }),
      activity: state.activity(vcpu),
      heldEvents: state.heldEvents(vcpu),
      alsoPending: [],
      ...(stop.detail === undefined ? {} : { detail: stop.detail }),
    };
  }
  /** The same stop, told again: everything that depends on the present is read again (2.2 pc). */
  renew(record: StopRecord, alsoPending: StopRecord['alsoPending'], stepCancelled: boolean): StopRecord {
    const { state } = this;
    const { vcpu } = record;
    return {
      ...record,
      pc: state.pc(vcpu),
      guestDr6: state.guestDr6(vcpu),
      guestDr7: state.guestDr7(vcpu),
      heldEvents: state.heldEvents(vcpu),
      alsoPending,
      ...(stepCancelled ? { stepCancelled: true } : {}),
    };
  }
}
