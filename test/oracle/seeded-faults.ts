// Twenty faults to be seeded into handlers, decoder and disassembler, and the oracle that has to find each.
//
// A fault is a change of one place of the source. The place is named by its text, which has to be there exactly once, so a
// fault that no longer fits its file fails instead of proving nothing.

export interface SeededFault {
  readonly name: string;
  /** Path in the checkout. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /**
   * cpu: cases of this mnemonic on the host processor (npm run oracle -- --class). iced: the decoders against iced-x86.
   * test: a file of tests; with QEMU (test/oracle/qemu) for what ring 3 cannot see.
   */
  readonly oracle: { readonly cpu: string; readonly cases?: number } | 'iced' | { readonly test: string };
}
const handlers = 'src/core/assembly/core/handlers';
const system = 'src/core/assembly/system';
export const QEMU = 'test/oracle/qemu/qemu.test.ts';

export const SEEDED_FAULTS: readonly SeededFault[] = [
  {
    name: 'ADC forgets that a carry in can make the carry out',
    file: `${handlers}/arithmetic.ts`,
    find: 'setFlags<T>(v, i32(v < a) | (i32(v == a) & carryFlag()),',
    replace: 'setFlags<T>(v, i32(v < a),',
    oracle: { cpu: 'ADC' },
  },
  {
    name: 'INC changes CF',
    file: `${handlers}/arithmetic.ts`,
    find: 'if (op == INC) setFlags<T>(v, carryFlag(),',
    replace: 'if (op == INC) setFlags<T>(v, i32(v == 0),',
    oracle: { cpu: 'INC' },
  },
  {
    name: 'SAR of 64 bits takes its count modulo 32',
    file: `${handlers}/shift.ts`,
    find: 'return sizeof<T>() == 8 ? 63 : 31;',
    replace: 'return 31;',
    oracle: { cpu: 'SAR' },
  },
  {
    name: 'RCL of 8 and 16 bits has the period of the operand',
    file: `${handlers}/shift.ts`,
    find: 'return c % (bits<T>() + 1);',
    replace: 'return c % bits<T>();',
    oracle: { cpu: 'RCL' },
  },
  {
    name: 'DIV of 64 bits lets a quotient through that does not fit',
    file: `${system}/operations/division.ts`,
    find: 'if (high >= divisor) fault(DE, -1);',
    replace: 'if (high > divisor) fault(0, -1);',
    oracle: { cpu: 'DIV' },
  },
  {
    name: 'string instructions run forward whatever DF says',
    file: `${handlers}/string.ts`,
    find: 'load<u64>(L.RFLAGS) & FLAG_DF ? 0 - size : size',
    replace: 'size',
    oracle: { cpu: 'MOVSW' },
  },
  {
    name: 'DAA adds 60h one number too late',
    file: `${handlers}/decimal.ts`,
    find: 'if (old > 0x99 || oldCarry)',
    replace: 'if (old > 0x9a || oldCarry)',
    oracle: { cpu: 'DAA' },
  },
  {
    name: 'PSHUFLW takes its upper quadword from the lower',
    file: `${handlers}/sse-integer.ts`,
    find: 'selectors(fourWords(imm, 0), 0x0f0e0d0c0b0a0908)',
    replace: 'selectors(fourWords(imm, 0), 0x0706050403020100)',
    oracle: { cpu: 'PSHUFLW' },
  },
  {
    name: 'PSHUFB looks at seven bits of a selector',
    file: `${handlers}/ssse3.ts`,
    find: 'v128.and(b, i8x16.splat(<i8>0x8f))',
    replace: 'v128.and(b, i8x16.splat(<i8>0x0f))',
    oracle: { cpu: 'PSHUFB' },
  },
  {
    name: 'softfloat rounds ties away from zero',
    file: 'src/core/assembly/softfloat/round.ts',
    find: 'return tie ? z & ~(<u64>1) : z;',
    replace: 'return z;',
    oracle: { cpu: 'ADDPS' },
  },
  {
    name: 'rounding down of negative results goes up',
    file: 'src/core/assembly/softfloat/round.ts',
    find: 'return rounding == (negative ? DOWN : UP) ? (<u64>1 << guard) - 1 : 0;',
    replace: 'return rounding == UP ? (<u64>1 << guard) - 1 : 0;',
    oracle: { cpu: 'MULSD' },
  },
  {
    name: 'BZHI sets CF one bit too late',
    file: `${handlers}/bit-manipulation.ts`,
    find: 'setFlags<T>(v, i32(n >= bits<T>()), sign<T>(v), 0);',
    replace: 'setFlags<T>(v, i32(n > bits<T>()), sign<T>(v), 0);',
    oracle: { cpu: 'BZHI' },
  },
  {
    name: 'an x87 register that was popped stays in use',
    file: `${handlers}/x87-stack.ts`,
    find: 'store<u16>(L.FTW, <u16>(tagWord() | 3 << tagShift(i)));',
    replace: 'store<u16>(L.FTW, <u16>(tagWord() | 1 << tagShift(i)));',
    oracle: { cpu: 'FSTP' },
  },
  {
    name: 'the last byte of a segment may be passed by one',
    file: `${system}/memory/segments.ts`,
    find: 'return last > <u64>limit ? 1 : 0;',
    replace: 'return last > <u64>limit + 1 ? 1 : 0;',
    oracle: { cpu: 'MOV', cases: 100_000 },
  },
  {
    name: 'a segment that expands down begins at its limit',
    file: `${system}/memory/segments.ts`,
    find: 'return offset <= <u64>limit || last > top ? 1 : 0;',
    replace: 'return offset < <u64>limit || last > top ? 1 : 0;',
    oracle: { cpu: 'MOV', cases: 100_000 },
  },
  {
    name: 'ENTER pushes the frame pointer of a 16-bit stack without its upper half',
    file: `${system}/operations/stack-operations.ts`,
    find: 'writeMemory(r, element(r, size, below, 1), size, truncate(frame, size));',
    replace: 'writeMemory(r, element(r, size, below, 1), size, truncate(frame & mask, size));',
    oracle: { cpu: 'ENTER' },
  },
  {
    name: 'a write does not set the dirty bit of its page',
    file: `${system}/memory/walk.ts`,
    find: 'if (access & WRITE) updated |= D;',
    replace: '',
    oracle: { test: QEMU },
  },
  {
    name: 'a task that is left by a jump stays busy',
    file: `${system}/deliver/task-switch.ts`,
    find: 'if (reason != CALL) setBusy(old, false);',
    replace: '',
    oracle: { test: QEMU },
  },
  {
    name: 'LOCK is taken by every instruction with a memory operand',
    file: 'src/core/assembly/core/decoder.ts',
    find: 'if (lock && !(demand & 0x20000 && form))',
    replace: 'if (lock && !form)',
    oracle: 'iced',
  },
  {
    name: 'the disassembler shows the wrong half of the registers',
    file: 'src/core/disassembler/format.ts',
    find: "    case 'G':\n      return general(reg);",
    replace: "    case 'G':\n      return general(reg & 7);",
    oracle: 'iced',
  },
];
