// As much of an assembler for ACPI Machine Language as our DSDT needs (ACPI 6.5 ch. 20.2), and resource descriptors (ch.
// 6.4). Each function answers the bytes of one term.
import { littleEndian } from './table.ts';

export type Aml = readonly number[];

const ZERO = 0x00;
const ONE = 0x01;
const NAME = 0x08;
const BYTE_PREFIX = 0x0a;
const WORD_PREFIX = 0x0b;
const DWORD_PREFIX = 0x0c;
const STRING_PREFIX = 0x0d;
const QWORD_PREFIX = 0x0e;
const SCOPE = 0x10;
const BUFFER = 0x11;
const PACKAGE = 0x12;
const METHOD = 0x14;
const ROOT = 0x5c;
const EXTENDED = 0x5b;
const DEVICE = 0x82;
const RETURN = 0xa4;

/** PkgLength: counts itself; up to 63 in one byte, else four bits and up to three bytes more (20.2.4). */
function packageLength(length: number): Aml {
  if (length + 1 < 0x40) return [length + 1];
  for (let more = 1; more <= 3; more++) {
    const total = length + 1 + more;
    if (total < 1 << (4 + 8 * more)) {
      const rest = Array.from({ length: more }, (_, i) => (total >> (4 + 8 * i)) & 0xff);
      return [(more << 6) | (total & 0xf), ...rest];
    }
  }
  throw new RangeError(`an AML package of ${length} bytes is too long`);
}
const block = (opcode: readonly number[], content: Aml): Aml => [
  ...opcode,
  ...packageLength(content.length),
  ...content,
];

/** A name of one segment of at most four characters, filled with underscores; a backslash in front starts at the root. */
export function nameString(name: string): Aml {
  const root = name.startsWith('\\');
  const segment = root ? name.slice(1) : name;
  if (!/^[A-Z_][A-Z0-9_]{0,3}$/.test(segment)) throw new RangeError(`'${name}' is no AML name`);
  return [
    ...(root ? [ROOT] : []),
    ...segment
      .padEnd(4, '_')
      .split('')
      .map((letter) => letter.charCodeAt(0)),
  ];
}
export function integer(value: number | bigint): Aml {
  if (value === 0 || value === 0n) return [ZERO];
  if (value === 1 || value === 1n) return [ONE];
  if (value < 0x100) return [BYTE_PREFIX, ...littleEndian(1, value)];
  if (value < 0x1_0000) return [WORD_PREFIX, ...littleEndian(2, value)];
  if (value < 0x1_0000_0000) return [DWORD_PREFIX, ...littleEndian(4, value)];
  return [QWORD_PREFIX, ...littleEndian(8, value)];
}
export const text = (value: string): Aml => [
  STRING_PREFIX,
  ...value.split('').map((letter) => letter.charCodeAt(0)),
  0,
];
/** "PNP0501" as the 32-bit number that EISAID() makes of it (19.6.36): three letters of five bits, four digits. */
export function eisaId(id: string): Aml {
  if (!/^[A-Z]{3}[0-9A-F]{4}$/.test(id)) throw new RangeError(`'${id}' is no EISA id`);
  const letter = (at: number): number => id.charCodeAt(at) - 0x40;
  const vendor = (letter(0) << 10) | (letter(1) << 5) | letter(2);
  const product = Number.parseInt(id.slice(3), 16);
  return [DWORD_PREFIX, vendor >> 8, vendor & 0xff, product >> 8, product & 0xff];
}
export const name = (object: string, value: Aml): Aml => [NAME, ...nameString(object), ...value];
export const scope = (path: string, terms: readonly Aml[]): Aml =>
  block([SCOPE], [...nameString(path), ...terms.flat()]);
export const device = (path: string, terms: readonly Aml[]): Aml =>
  block([EXTENDED, DEVICE], [...nameString(path), ...terms.flat()]);
/** A method without arguments that answers a value. */
export const method = (path: string, answer: Aml): Aml => block([METHOD], [...nameString(path), 0, RETURN, ...answer]);
export const packageOf = (elements: readonly Aml[]): Aml => block([PACKAGE], [elements.length, ...elements.flat()]);
export const buffer = (bytes: readonly number[]): Aml => block([BUFFER], [...integer(bytes.length), ...bytes]);

// ---- resource descriptors ----------------------------------------------------------------------------------------------
/** I/O ports first .. first + count - 1, 16-bit decode (6.4.2.5). */
export const ioPorts = (first: number, count: number): Aml => [
  0x47,
  1,
  ...littleEndian(2, first),
  ...littleEndian(2, first),
  1,
  count,
];
/** An edge-triggered, active-high interrupt of the ISA bus (6.4.2.1). */
export const isaInterrupt = (irq: number): Aml => [0x22, ...littleEndian(2, 1 << irq)];
/** The contents of a _CRS: descriptors and the end tag, whose checksum 0 means "not checked" (6.4.2.9). */
export const resources = (descriptors: readonly Aml[]): Aml => buffer([...descriptors.flat(), 0x79, 0]);
