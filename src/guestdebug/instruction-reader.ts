// Instruction bytes and lengths for stop records, by the engine's own decoder: what is shown is what is executed.
import type { Engine } from '../core/engine.ts';
import type { MachineApi } from '../machine/api.ts';
import { INSTRUCTION_MAX } from './policy.ts';
import type { InstructionReader } from './stop-record.ts';

export type DecodingEngine = Pick<Engine, 'instructionLength' | 'vcpu'>;

const CC = 0xcc;
const CD = 0xcd;
const F1 = 0xf1;
/** Legacy prefixes and, in 64-bit mode, REX (SDM 2A 2.1.1, 2.2.1). */
const isPrefix = (byte: number, long: boolean): boolean =>
  [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3].includes(byte) || (long && byte >> 4 === 4);

export type TrapInstruction =
  { readonly kind: 'int3' | 'icebp' | 'other' } | { readonly kind: 'interrupt'; readonly vector: number };

/** Which instruction that raises an event by itself the bytes begin with. */
export function trapInstruction(bytes: Uint8Array, long: boolean): TrapInstruction {
  const at = bytes.findIndex((byte) => !isPrefix(byte, long));
  const opcode = at < 0 ? undefined : bytes[at];
  if (opcode === CC) return { kind: 'int3' };
  if (opcode === F1) return { kind: 'icebp' };
  if (opcode === CD) return { kind: 'interrupt', vector: bytes[at + 1] ?? 0 };
  return { kind: 'other' };
}

/** Uses the engine's scratch record: only while no instruction is inside a slow path. */
export class EngineInstructionReader implements InstructionReader {
  private readonly engine: DecodingEngine;
  private readonly machine: Pick<MachineApi, 'readLinear'>;
  constructor(engine: DecodingEngine, machine: Pick<MachineApi, 'readLinear'>) {
    this.engine = engine;
    this.machine = machine;
  }
  bytesAt(vcpu: number, linear: bigint): Uint8Array {
    return this.machine.readLinear(vcpu, linear, INSTRUCTION_MAX);
  }
  lengthAt(vcpu: number, linear: bigint): number {
    const bytes = this.bytesAt(vcpu, linear);
    if (bytes.length === 0) return 0;
    return this.engine.instructionLength(bytes, linear, this.engine.vcpu(vcpu).mode);
  }
}
