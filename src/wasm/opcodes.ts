// What WebAssembly's instructions take, leave and carry (core specification 5.4, "Index of Instructions"): the one table that
// the reader, the contract check, the tree parser, the evaluator and the writer share.

/** Value types and the empty block type as their binary codes. */
export const I32 = 0x7f;
export const I64 = 0x7e;
export const F32 = 0x7d;
export const F64 = 0x7c;
export const V128 = 0x7b;
export const VOID = 0x40;

/** What stands behind an opcode. */
export type Immediate =
  | 'none'
  | 'index'
  | 'block type'
  | 'labels'
  | 'memory'
  | 'memory lane'
  | 'lane'
  | 'i32'
  | 'i64'
  | 'bytes 4'
  | 'bytes 8'
  | 'bytes 16'
  | 'zeros 1'
  | 'zeros 2';
export interface Opcode {
  readonly immediate: Immediate;
  /** Types of the operands, for the instructions whose types are their own. */
  readonly operands: readonly number[] | undefined;
  /** Type of the result, VOID without one. */
  readonly result: number;
}
/** Instructions behind the prefixes fc and fd are numbered from here. */
export const SATURATING = 0xfc00;
export const VECTOR = 0xfd00;

/** Lines of "opcodes signature immediate"; in a signature i l f d v are i32 i64 f32 f64 v128. Hexadecimal. */
const SCALAR = `
  28 i>i memory       29 i>l memory       2a i>f memory       2b i>d memory       2c-2f i>i memory    30-35 i>l memory
  36 ii> memory       37 il> memory       38 if> memory       39 id> memory       3a-3b ii> memory    3c-3e il> memory
  41 >i i32           42 >l i64           43 >f bytes_4       44 >d bytes_8       45 i>i none         46-4f ii>i none
  50 l>i none         51-5a ll>i none     5b-60 ff>i none     61-66 dd>i none     67-69 i>i none      6a-78 ii>i none
  79-7b l>l none      7c-8a ll>l none     8b-91 f>f none      92-98 ff>f none     99-9f d>d none      a0-a6 dd>d none
  a7 l>i none         a8-a9 f>i none      aa-ab d>i none      ac-ad i>l none      ae-af f>l none      b0-b1 d>l none
  b2-b3 i>f none      b4-b5 l>f none      b6 d>f none         b7-b8 i>d none      b9-ba l>d none      bb f>d none
  bc f>i none         bd d>l none         be i>f none         bf l>d none         c0-c1 i>i none      c2-c4 l>l none
  fc00-fc01 f>i none  fc02-fc03 d>i none  fc04-fc05 f>l none  fc06-fc07 d>l none`;
/** The same for SIMD, numbered from VECTOR on. Decimal, as the specification's proposal numbered them. */
const SIMD = `
  0-10 i>v memory     11 iv> memory       12 >v bytes_16      13 vv>v bytes_16    14 vv>v none        15-17 i>v none
  18 l>v none         19 f>v none         20 d>v none         21-22 v>i lane      23 vi>v lane        24-25 v>i lane
  26 vi>v lane        27 v>i lane         28 vi>v lane        29 v>l lane         30 vl>v lane        31 v>f lane
  32 vf>v lane        33 v>d lane         34 vd>v lane        35-76 vv>v none     77 v>v none         78-81 vv>v none
  82 vvv>v none       83 v>i none         84-87 iv>v memory_lane                  88-91 iv> memory_lane
  92-93 i>v memory    94-98 v>v none      99-100 v>i none     101-102 vv>v none   103-106 v>v none    107-109 vi>v none
  110-115 vv>v none   116-117 v>v none    118-121 vv>v none   122 v>v none        123 vv>v none       124-129 v>v none
  130 vv>v none       131-132 v>i none    133-134 vv>v none   135-138 v>v none    139-141 vi>v none   142-147 vv>v none
  148 v>v none        149-153 vv>v none   155-159 vv>v none   160-161 v>v none    163-164 v>i none    167-170 v>v none
  171-173 vi>v none   174 vv>v none       177 vv>v none       181-186 vv>v none   188-191 vv>v none   192-193 v>v none
  195-196 v>i none    199-202 v>v none    203-205 vi>v none   206 vv>v none       209 vv>v none       213-223 vv>v none
  224-225 v>v none    227 v>v none        228-235 vv>v none   236-237 v>v none    239 v>v none        240-247 vv>v none
  248-255 v>v none`;
/** Control, variables, bulk memory: their types follow from what they name. */
const STRUCTURE = `
  00-01 - none        02-04 - block_type  05 - none           0b - none           0c-0d - index       0e - labels
  0f - none           10 - index          11 - index          1a-1b - none        20-26 - index       3f-40 - zeros_1
  fc0a - zeros_2      fc0b - zeros_1`;

const TYPES: Readonly<Record<string, number>> = { i: I32, l: I64, f: F32, d: F64, v: V128 };
const rows = new Map<number, Opcode>();
for (const [text, radix, base] of [
  [SCALAR, 16, 0],
  [SIMD, 10, VECTOR],
  [STRUCTURE, 16, 0],
] as const) {
  const words = text.trim().split(/\s+/);
  for (let i = 0; i < words.length; i += 3) {
    const [range = '', signature = '', immediate = ''] = words.slice(i, i + 3);
    const [first = 0, last = first] = range.split('-').map((n) => parseInt(n, radix) + base);
    const [operands = '', result = ''] = signature.split('>');
    const row: Opcode = {
      immediate: immediate.replace('_', ' ') as Immediate,
      operands: signature === '-' ? undefined : Array.from(operands, (letter) => TYPES[letter] ?? VOID),
      result: TYPES[result] ?? VOID,
    };
    for (let op = first; op <= last; op++) rows.set(op, row);
  }
}
const plain: readonly (Opcode | undefined)[] = Array.from({ length: 0x100 }, (_, op) => rows.get(op));
const vector: readonly (Opcode | undefined)[] = Array.from({ length: 0x100 }, (_, n) => rows.get(VECTOR + n));

/** The row of an opcode; undefined: not in MVP + sign extension + saturating conversions + bulk memory + SIMD. */
export const opcodeOf = (op: number): Opcode | undefined =>
  op < 0x100 ? plain[op] : op >= VECTOR ? vector[op - VECTOR] : rows.get(op);
