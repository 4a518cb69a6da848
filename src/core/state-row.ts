// What a row of the state table (state-table.ts) says, and the constructors that keep the table readable.

/** WebAssembly's names of the widths. 32 bits and less are a `number` in TypeScript, 64 bits a `bigint`. */
export type ScalarType = 'u16' | 'u32' | 'i32' | 'u64' | 'i64';
export const SCALAR_BYTES: Readonly<Record<ScalarType, number>> = { u16: 2, u32: 4, i32: 4, u64: 8, i64: 8 };

export interface Member {
  /** Bytes from the start of the record. */
  readonly offset: number;
  readonly type: ScalarType;
  /** Name of the accessor. */
  readonly name: string;
  readonly says: string;
}
/** A group of values that belong together, such as a segment register. */
export interface RecordType {
  /** Name of the accessor's class. */
  readonly name: string;
  /** Bytes from one record to the next. */
  readonly size: number;
  /** Constant that says `size`, for code that counts addresses. */
  readonly sizeName?: string;
  readonly says: string;
  readonly members: readonly Member[];
}

export interface Row {
  /** Address in the engine's linear memory; the running vCPU's where each vCPU has its own. */
  readonly at: number;
  /** Name of the constant; the accessor has the same in camel case. */
  readonly name: string;
  /** `bytes`: room that only the core looks into, without an accessor. */
  readonly type: ScalarType | RecordType | 'bytes';
  /** Elements; undefined: one value, no array. */
  readonly count?: number;
  /** Constant that says `count`. */
  readonly countName?: string;
  /** Constants of the elements, when each has a name of its own. */
  readonly elements?: readonly string[];
  /** Set to 0 by a restored snapshot: it is about an instruction that does not run any more. */
  readonly transient?: true;
  /** What it is, in which units, with the manual's section. */
  readonly says: string;
}

type Scalar = (at: number, name: string, says: string, more?: { readonly transient: true }) => Row;
const scalar =
  (type: ScalarType): Scalar =>
  (at, name, says, more) => ({ at, name, type, says, ...more });
export const u16 = scalar('u16');
export const u32 = scalar('u32');
export const i32 = scalar('i32');
export const u64 = scalar('u64');
export const i64 = scalar('i64');

/** An array: `count` elements, or one for each name. */
export function array(
  at: number,
  name: string,
  type: ScalarType | RecordType,
  count: number | readonly string[],
  says: string,
  countName?: string,
): Row {
  const elements = typeof count === 'number' ? {} : { elements: count };
  const size = typeof count === 'number' ? count : count.length;
  return { at, name, type, count: size, says, ...elements, ...(countName === undefined ? {} : { countName }) };
}
export const record = (at: number, name: string, type: RecordType, says: string): Row => ({ at, name, type, says });
export const bytes = (at: number, name: string, count: number, says: string): Row => ({
  ...{ at, name, count, says },
  type: 'bytes',
});

/** Bytes from one element of a row to the next. */
export function elementSize({ type }: Row): number {
  if (type === 'bytes') return 1;
  return typeof type === 'string' ? SCALAR_BYTES[type] : type.size;
}
/** Bytes that a row takes. */
export const rowSize = (row: Row): number => elementSize(row) * (row.count ?? 1);

/** A part of the engine's memory that a list of rows lies in: [start, end). */
export interface StateRange {
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly rows: readonly Row[];
}

const hex = (address: number): string => `0x${address.toString(16)}`;
const place = (row: Row): string => `${row.name} (${hex(row.at)} to ${hex(row.at + rowSize(row) - 1)})`;

/** What is wrong with a table, one sentence each that names the rows: overlaps, order, alignment, ranges, names said twice. */
export function tableFaults(ranges: readonly StateRange[]): string[] {
  const faults: string[] = [];
  const names = new Map<string, string>();
  for (const { name: range, start, end, rows } of ranges) {
    let before: Row | undefined;
    for (const row of rows) {
      if (row.at < start || row.at + rowSize(row) > end) {
        faults.push(`${place(row)} is not within the ${range} part, ${hex(start)} to ${hex(end - 1)}: move it.`);
      }
      const alignment = alignmentOf(row);
      if (row.at % alignment !== 0) faults.push(`${place(row)} has to be at a multiple of ${alignment}.`);
      if (before !== undefined && row.at < before.at) {
        faults.push(`${place(row)} stands behind ${place(before)}: sort the rows by address.`);
      } else if (before !== undefined && row.at < before.at + rowSize(before)) {
        faults.push(`${place(row)} overlaps ${place(before)}: give one of them another address.`);
      }
      for (const name of constantNames(row)) {
        const other = names.get(name);
        if (other !== undefined) faults.push(`${name} is said by ${other} and by ${place(row)}: rename one of them.`);
        names.set(name, place(row));
      }
      faults.push(...recordFaults(row));
      before = row;
    }
  }
  return faults;
}
function alignmentOf({ type }: Row): number {
  if (type === 'bytes') return 1;
  if (typeof type === 'string') return SCALAR_BYTES[type];
  return Math.max(...type.members.map((member) => SCALAR_BYTES[member.type]));
}
const constantNames = ({ name, elements = [], countName }: Row): string[] => [
  ...new Set([name, ...elements, ...(countName === undefined ? [] : [countName])]),
];
function recordFaults(row: Row): string[] {
  if (typeof row.type === 'string') return [];
  const faults: string[] = [];
  let end = 0;
  for (const { name, offset, type } of row.type.members) {
    const where = `${row.name}: ${row.type.name}.${name}`;
    if (offset < end) faults.push(`${where} overlaps the member in front of it.`);
    if (offset % SCALAR_BYTES[type] !== 0) faults.push(`${where} has to be at a multiple of ${SCALAR_BYTES[type]}.`);
    end = offset + SCALAR_BYTES[type];
    if (end > row.type.size) faults.push(`${where} ends behind the record's ${row.type.size} bytes.`);
  }
  return faults;
}
