// Where the operands of a case come from: a source of values for each kind of row. Who adds an instruction class with numbers of
// its own (floating point, BCD, decimal) adds a file with its source and one line to SOURCES.
import type { OpcodeRow } from '../../../src/core/opcodes/index.ts';
import { pick, type Random } from '../../harness/random.ts';
import { mmxSource } from './mmx-values.ts';
import { INITIAL_X87, type X87State } from './protocol.ts';
import { bytesOfValues, type ValueSource } from './values.ts';
import { x87Sources } from './x87-values.ts';

/** An x87 unit in use, so that an instruction that has nothing to do with it is seen to leave it alone. */
function busyX87(random: Random): X87State {
  return {
    ...INITIAL_X87,
    control: pick(random, [0x37f, 0x27f, 0xf7f]),
    status: random(8) << 11,
    tags: random(256),
    registers: Uint8Array.from({ length: 128 }, (_, i) => (i % 16 < 10 ? random(256) : 0)),
  };
}

export const integers: ValueSource = {
  xmm: (random) => bytesOfValues(random, 32),
  memory: (random) => bytesOfValues(random, 2),
  mxcsr: () => 0x1f80,
  x87: (random) => (random(16) === 0 ? busyX87(random) : INITIAL_X87),
};

/** An interrupt's frame has five quadwords. */
const frames: Partial<ValueSource> = { memory: (random) => bytesOfValues(random, 5) };

/** Characters of which strings are made that often hold each other. */
const CHARACTERS = [0, 1, 2, 2, 3, 0x7f, 0x80, 0xfe, 0xff];
function strings(random: Random, size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let start = 0; start < size; start += 16) {
    const alphabet = 2 + random(CHARACTERS.length - 1);
    const first = random(CHARACTERS.length - alphabet + 1);
    for (let i = 0; i < 16; i++) bytes[start + i] = CHARACTERS[first + random(alphabet)] ?? 0;
  }
  return bytes;
}

/** The first that matches counts. */
const SOURCES: readonly (readonly [matches: (row: OpcodeRow) => boolean, source: Partial<ValueSource>])[] = [
  ...x87Sources,
  mmxSource,
  [
    ({ mnemonic }) => /^PCMP.STR/.test(mnemonic),
    { xmm: (random) => strings(random, 256), memory: (random) => strings(random, 16) },
  ],
  [({ mnemonic }) => mnemonic.startsWith('IRET'), frames],
];

const known = new Map<OpcodeRow, ValueSource>();
/** Where the operands of a row's cases come from. */
export function operandValues(row: OpcodeRow): ValueSource {
  let source = known.get(row);
  if (source === undefined) {
    const found = SOURCES.find(([matches]) => matches(row));
    source = { ...integers, ...found?.[1] };
    known.set(row, source);
  }
  return source;
}
