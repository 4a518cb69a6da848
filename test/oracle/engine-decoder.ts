// The engine's own decoder, which fills the records that are executed.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Engine } from '../../src/core/engine.ts';
import * as L from '../../src/core/layout.ts';
import type { CodeSize, Decoded } from '../../src/core/disassembler/instruction.ts';
import { generalName } from '../../src/core/disassembler/registers.ts';
import { opcodeRows } from '../../src/core/opcodes/index.ts';
import { emptyHost } from './engine-host.ts';

const dist = join(import.meta.dirname, '../../dist');
export const engineModules = {
  core: new WebAssembly.Module(readFileSync(join(dist, 'core.wasm'))),
  system: new WebAssembly.Module(readFileSync(join(dist, 'system.wasm'))),
};

const RECORD = L.SCRATCH_BLOCK + L.HEADER_SIZE;
const NO_ROW = 0xffff;
const NONE = 0x80;
const rowNumbers = new Map(opcodeRows.map((row, i) => [row, i]));
/** In which way the two decoders differ: the first thing that does, undefined when nothing does. */
export type Difference = string | undefined;

export class EngineDecoder {
  private readonly engine = new Engine({
    modules: engineModules,
    host: emptyHost,
    vcpus: 1,
    memorySize: 1 << 20,
    arenaSize: 1 << 20,
  });
  /** 1 when the instruction was within `available` bytes. */
  decode(bytes: Uint8Array, rip: bigint, code: CodeSize, available = bytes.length): number {
    const { engine } = this;
    const size = code === 64 ? 2 : code === 32 ? 1 : 0;
    engine.raw.fill(0, L.FETCH_BUFFER, L.FETCH_BUFFER + 32);
    engine.raw.set(bytes, L.FETCH_BUFFER);
    return engine.decode(RECORD, L.FETCH_BUFFER, available, rip, size | (size << 2) | L.MODE_FLAT);
  }
  get length(): number {
    return this.engine.raw[RECORD + L.R_LENGTH] ?? 0;
  }
  get valid(): boolean {
    return this.engine.rawView.getUint16(RECORD + L.R_OPCODE, true) !== NO_ROW;
  }
  /** Compares the record with what the disassembler found. */
  difference(decoded: Decoded | undefined): Difference {
    const { rawView: view } = this.engine;
    if (decoded === undefined) return undefined;
    const row = view.getUint16(RECORD + L.R_OPCODE, true);
    if (row !== rowNumbers.get(decoded.row)) return `row ${row}`;
    if (this.length !== decoded.length) return `length ${this.length}`;
    const flags = view.getUint8(RECORD + L.R_FLAGS);
    const memory = (flags & L.R_FLAG_MEMORY) !== 0;
    if (memory !== (decoded.memory !== undefined)) return `memory operand ${memory}`;
    return this.memoryDifference(decoded);
  }
  private memoryDifference({ memory, next, code }: Decoded): Difference {
    const { rawView: view } = this.engine;
    if (memory === undefined) return undefined;
    const { addressSize } = memory;
    const bits = addressSize * 8;
    if (BigInt.asUintN(64, view.getBigUint64(RECORD + L.R_MASK, true)) !== BigInt.asUintN(bits, -1n))
      return 'address size';
    const relative = memory.base === 'rip' || memory.base === 'eip';
    const displacement = memory.displacement + (relative ? next : 0n);
    if (BigInt.asUintN(bits, view.getBigUint64(RECORD + L.R_DISP, true)) !== BigInt.asUintN(bits, displacement))
      return 'displacement';
    const name = (slot: number): string | undefined => {
      const number = view.getUint8(RECORD + slot);
      return number === NONE ? undefined : generalName(number / 8, addressSize, true);
    };
    if (name(L.R_BASE) !== (relative ? undefined : memory.base)) return `base ${name(L.R_BASE)}`;
    if (name(L.R_INDEX) !== memory.index) return `index ${name(L.R_INDEX)}`;
    if (memory.index !== undefined && 1 << view.getUint8(RECORD + L.R_SCALE) !== memory.scale) return 'scale';
    const based = /^[fg]s$/.test(memory.segment) || (code !== 64 && memory.segment === 'cs');
    const slot = { es: L.ES, cs: L.CS, ss: L.SS, ds: L.DS, fs: L.FS, gs: L.GS }[memory.segment];
    if (view.getUint32(RECORD + L.R_SEGMENT, true) !== (based ? slot : L.ZERO)) return 'segment';
    return undefined;
  }
}
