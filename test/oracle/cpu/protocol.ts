// Cases and results as they go to and come from runner.c.
import type { CodeSize, SegmentName } from '../../../src/core/disassembler/instruction.ts';

export const DATA_ADDRESS = 0x2000_0000;
export const DATA_SIZE = 0x4000;
export const CODE_ADDRESS = 0x3000_0800;
export const FS_BASE = 0x2000;
export const GS_BASE = 0x1000;

/** Bytes of the x87 state on the wire. */
const X87_SIZE = 24 + 128;
/** Bytes at the code address: the longest instruction, what ends a block behind it, and zeros. */
const CODE_SLOT = 24;
const CASE_SIZE = CODE_SLOT + 128 + 8 + 256 + 16 + X87_SIZE;
const RESULT_SIZE = 16 + 128 + 16 + 256 + 8 + X87_SIZE + 40;

/** The x87 unit as FXSAVE stores it (SDM 1 10.5.1). */
export interface X87State {
  readonly control: number;
  readonly status: number;
  /** One bit per physical register, 1: not empty. */
  readonly tags: number;
  /** FOP, FIP and FDP: the last instruction and its operand. */
  readonly opcode: number;
  readonly instruction: bigint;
  readonly operand: bigint;
  /** ST0 to ST7, 16 bytes each, of which ten count. */
  readonly registers: Uint8Array;
}
/** The unit after FNINIT. */
export const INITIAL_X87: X87State = {
  control: 0x37f,
  status: 0,
  tags: 0,
  opcode: 0,
  instruction: 0n,
  operand: 0n,
  registers: new Uint8Array(128),
};

/** A segment of a segmented case: neither flat nor in the GDT. The numbers are those of the runner's LDT. */
export interface TestSegment {
  readonly selector: number;
  readonly base: number;
  /** In bytes. */
  readonly limit: number;
  /** Type, S, DPL, P and D/B as in the access rights of L.CS and the like. */
  readonly attributes: number;
}
export type SegmentedSize = 16 | 32;
const D_FLAG = 0x4000;
const CODE_RIGHTS = 0xfb; // execute and read, accessed, DPL 3
const DATA_RIGHTS = 0xf3; // read and write, accessed, DPL 3
const EXPAND_DOWN = 0x04;
/**
 * Segments of segmented cases: limits that the data pages exceed and that exceed the data pages, a stack that expands
 * down. FS and GS are not usable.
 */
export function testSegments(size: SegmentedSize): Readonly<Record<'cs' | 'ds' | 'es' | 'ss', TestSegment>> {
  const big = size === 32 ? D_FLAG : 0;
  return {
    cs: { selector: big ? 0x0f : 0x07, base: CODE_ADDRESS & ~0xfff, limit: 0xffff, attributes: CODE_RIGHTS | big },
    ds: { selector: 0x17, base: DATA_ADDRESS, limit: 0x2fff, attributes: DATA_RIGHTS | D_FLAG },
    es: { selector: 0x1f, base: DATA_ADDRESS + 0x1000, limit: 0xffff, attributes: DATA_RIGHTS | D_FLAG },
    ss: {
      selector: big ? 0x2f : 0x27,
      base: DATA_ADDRESS,
      limit: 0x7ff,
      attributes: DATA_RIGHTS | EXPAND_DOWN | big,
    },
  };
}

/** The state before one instruction. */
export interface Case {
  /** At most 15 bytes, at CODE_ADDRESS. */
  readonly code: Uint8Array;
  /** In the order of the encoding. */
  readonly registers: readonly bigint[];
  readonly flags: bigint;
  /** 16 registers of 16 bytes. */
  readonly xmm: Uint8Array;
  readonly mxcsr: number;
  readonly x87: X87State;
  /** Bytes of the data pages that differ from the usual contents. */
  readonly patchOffset: number;
  readonly patch: Uint8Array;
  /** 32 and 16: compatibility mode, with eight registers of 32 bits. */
  readonly codeSize: CodeSize;
  /** Whether the segments are those of testSegments (16-bit code: always). */
  readonly segmented: boolean;
}

/** The runner's LDT: the segments of segmented cases, and some that only selectors are loaded from. */
export const LDT: readonly TestSegment[] = [
  testSegments(16).cs,
  testSegments(32).cs,
  testSegments(32).ds,
  testSegments(32).es,
  testSegments(16).ss,
  testSegments(32).ss,
  { ...testSegments(32).ds, selector: 0x37, attributes: 0xf1 | D_FLAG }, // read-only data
  { ...testSegments(32).ds, selector: 0x3f, attributes: 0x73 | D_FLAG }, // data that is not present
  { ...testSegments(32).cs, selector: 0x47, attributes: 0xf9 | D_FLAG }, // code that may not be read
];

/** Offset of the case's instruction in its code segment. */
export function startOf({ segmented }: Pick<Case, 'segmented'>): bigint {
  return BigInt(segmented ? CODE_ADDRESS & 0xfff : CODE_ADDRESS);
}

/** The state after it. */
export interface Result {
  /** 1: it retired; else the vector of its fault. */
  readonly vector: number;
  readonly error: number;
  /** CR2, meaningful with vector 14. */
  readonly address: bigint;
  readonly registers: readonly bigint[];
  readonly rip: bigint;
  readonly flags: bigint;
  readonly xmm: Uint8Array;
  readonly mxcsr: number;
  readonly x87: X87State;
  readonly fsBase: bigint;
  readonly gsBase: bigint;
  readonly selectors: Readonly<Record<SegmentName, number>>;
  /** Quadwords of the data pages that changed, by offset. */
  readonly changes: ReadonlyMap<number, bigint>;
}

const padded = (size: number): number => (size + 7) & ~7;

/** Ends the engine's block behind the instruction: jmp $. The processor has it too, since an operand may be the code itself. */
export const BLOCK_END = [0xeb, 0xfe] as const;
/** What is at the code address: the instruction, BLOCK_END, and zeros. */
export function codeBytes(instruction: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(CODE_SLOT);
  bytes.set(instruction);
  bytes.set(BLOCK_END, instruction.length);
  return bytes;
}

export function encodeCases(cases: readonly Case[], data: Uint8Array): Uint8Array {
  const size = cases.reduce((sum, { patch }) => sum + CASE_SIZE + padded(patch.length), data.length);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  bytes.set(data);
  let at = data.length;
  for (const item of cases) {
    bytes.set(codeBytes(item.code), at);
    at += CODE_SLOT;
    for (const register of item.registers) {
      view.setBigUint64(at, register, true);
      at += 8;
    }
    view.setBigUint64(at, item.flags, true);
    bytes.set(item.xmm, at + 8);
    at += 8 + 256;
    view.setUint32(at, item.mxcsr, true);
    view.setUint32(at + 4, item.patchOffset, true);
    view.setUint32(at + 8, item.patch.length, true);
    view.setUint32(at + 12, item.codeSize | (item.segmented ? 0x100 : 0), true);
    at += 16;
    encodeX87(view, at, item.x87);
    at += X87_SIZE;
    bytes.set(item.patch, at);
    at += padded(item.patch.length);
  }
  return bytes;
}

function encodeX87(view: DataView, at: number, state: X87State): void {
  view.setUint16(at, state.control, true);
  view.setUint16(at + 2, state.status, true);
  view.setUint16(at + 4, state.tags, true);
  view.setUint16(at + 6, state.opcode, true);
  view.setBigUint64(at + 8, state.instruction, true);
  view.setBigUint64(at + 16, state.operand, true);
  new Uint8Array(view.buffer, view.byteOffset).set(state.registers, at + 24);
}
function decodeX87(view: DataView, at: number, bytes: Uint8Array): X87State {
  return {
    control: view.getUint16(at, true),
    status: view.getUint16(at + 2, true),
    tags: view.getUint16(at + 4, true),
    opcode: view.getUint16(at + 6, true),
    instruction: view.getBigUint64(at + 8, true),
    operand: view.getBigUint64(at + 16, true),
    registers: bytes.slice(at + 24, at + X87_SIZE),
  };
}

function selectorsAt(view: DataView, at: number): Result['selectors'] {
  const [cs = 0, ss = 0, ds = 0, es = 0, fs = 0, gs = 0] = Array.from({ length: 6 }, (_, i) =>
    view.getUint32(at + i * 4, true),
  );
  return { es, cs, ss, ds, fs, gs };
}

export function decodeResults(bytes: Uint8Array): Result[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const results: Result[] = [];
  let at = 0;
  while (at + RESULT_SIZE <= bytes.length) {
    const registersAt = at + 16;
    const behind = registersAt + 128;
    const x87At = behind + 16 + 256 + 8;
    const basesAt = x87At + X87_SIZE;
    const changeCount = view.getUint32(x87At - 4, true);
    const changes = new Map<number, bigint>();
    let entry = at + RESULT_SIZE;
    for (let i = 0; i < changeCount; i++, entry += 16)
      changes.set(Number(view.getBigUint64(entry, true)), view.getBigUint64(entry + 8, true));
    results.push({
      vector: view.getUint32(at, true),
      error: view.getUint32(at + 4, true),
      address: view.getBigUint64(at + 8, true),
      registers: Array.from({ length: 16 }, (_, i) => view.getBigUint64(registersAt + i * 8, true)),
      rip: view.getBigUint64(behind, true),
      flags: view.getBigUint64(behind + 8, true),
      xmm: bytes.slice(behind + 16, behind + 16 + 256),
      mxcsr: view.getUint32(x87At - 8, true),
      x87: decodeX87(view, x87At, bytes),
      fsBase: view.getBigUint64(basesAt, true),
      gsBase: view.getBigUint64(basesAt + 8, true),
      selectors: selectorsAt(view, basesAt + 16),
      changes,
    });
    at = entry;
  }
  return results;
}
