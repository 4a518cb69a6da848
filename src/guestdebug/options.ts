// What the layer is made from, and the errors of its callers.
import type { MachineApi } from '../machine/api.ts';
import type * as Api from './api.ts';
import type { DecodingEngine } from './instruction-reader.ts';
import type { EngineState } from './vcpu-state.ts';

/** The part of the machine that this layer stands on. */
export type DebugMachine = Pick<MachineApi, 'clock' | 'instructions' | 'turn' | 'observer' | 'run' | 'readLinear'> & {
  readonly engine: EngineState & DecodingEngine;
};
export interface GuestDebugOptions {
  readonly coverPolicy?: Api.CoverPolicy;
  readonly stepIrq?: Api.StepInterrupts;
  readonly reporting?: 'sequence' | 'coalesce';
  readonly ledgerCapacity?: number;
  /** Lines of the engine's log (something not implemented, a slot that never matches). */
  readonly onLog?: (code: number, vcpu: number, a: bigint, b: bigint) => void;
}
/** A number that the caller got wrong. */
export class GuestDebugError extends Error {
  readonly code: 'noSuchVcpu' | 'noSuchBreakpoint';
  constructor(code: GuestDebugError['code'], message: string) {
    super(message);
    this.name = 'GuestDebugError';
    this.code = code;
  }
}
