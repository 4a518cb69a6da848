// Faults to be seeded into evaluator, region builder and region cache, and the test that has to find each.
//
// A fault is a change of one place of the source. The place is named by its text, which has to be there exactly once, so a
// fault that no longer fits its file fails instead of proving nothing.

export interface JitFault {
  readonly name: string;
  /** File in src. */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  readonly caughtBy: keyof typeof TESTS;
}
/** The named tests: file in test/jit, and a pattern of its name. */
export const TESTS = {
  fuzz: { file: 'fuzz.test.ts', name: 'random programs are the same in interpreter and JIT' },
  eviction: { file: 'equivalence.test.ts', name: 'evicted regions are let go' },
  pages: { file: 'pages.test.ts', name: 'a call of another page whose code was changed' },
  computedPages: { file: 'pages.test.ts', name: 'a computed call of another page whose code was changed' },
  fullRegion: { file: 'full-region.test.ts', name: 'the last block of a full region jumps back' },
  float: { file: 'float.test.ts', name: 'random programs end every run in the same state, MXCSR included' },
  lockstep: { file: 'lockstep.test.ts', name: 'goes through the sample guest without a difference' },
} as const;

export const JIT_FAULTS: readonly JitFault[] = [
  {
    name: 'ticks that were not used are not given back',
    file: 'jit/region.ts',
    find: 'set(code, LEFT, (left << 8) | (this.count - Math.min(this.index, this.count)));',
    replace: 'set(code, LEFT, left << 8);',
    caughtBy: 'fuzz',
  },
  {
    name: 'a block runs although its ticks are not left',
    file: 'jit/region.ts',
    find: 'BigInt(this.count))), 0n)',
    replace: 'BigInt(this.count))), -4n)',
    caughtBy: 'fuzz',
  },
  {
    name: 'a native loop takes no ticks',
    file: 'jit/region.ts',
    find: 'code.branch(from.self);',
    replace: 'set(code, BUDGET, i64.sub(get(BUDGET), -1n)); code.branch(from.self);',
    caughtBy: 'fuzz',
  },
  {
    name: 'a jump forward goes to the block behind its target',
    file: 'jit/region.ts',
    find: 'code.branch(to.label);',
    replace: 'code.branch(([...this.found.values()].find(({ rip }) => rip > to.rip) ?? to).label);',
    caughtBy: 'fuzz',
  },
  {
    name: 'a jump to another page does not look whether it is mapped',
    file: 'jit/region.ts',
    find: 'if (page !== undefined && to.page !== from.page) this.function.checkPage(to.page, page, target, this.labels);',
    replace: '',
    caughtBy: 'fuzz',
  },
  {
    name: 'a jump to another page does not look whether its code was changed',
    file: 'jit/region-function.ts',
    find: 'const flags = i32.load(header + L.B_FLAGS);',
    replace: 'const flags = i32.load(L.ZERO + 0 * header);',
    caughtBy: 'pages',
  },
  {
    name: 'a computed jump believes its table without a check',
    file: 'jit/region-function.ts',
    find: 'this.checkTarget(table, labels)',
    replace: 'undefined',
    caughtBy: 'computedPages',
  },
  {
    name: 'a region that is left goes on at the first instruction of the block',
    file: 'jit/region.ts',
    find: 'set(code, RECORD, this.record);',
    replace: 'set(code, RECORD, this.blocks.record(this.block?.header ?? 0, 0));',
    caughtBy: 'fuzz',
  },
  {
    name: 'AH is read from AL',
    file: 'jit/evaluator.ts',
    find: 'const shift = (address - slot.address) * 8;',
    replace: 'const shift = (address - slot.address) * 0;',
    caughtBy: 'fuzz',
  },
  {
    name: 'a load of eight bits from a register forgets the sign',
    file: 'wasm/memory-access.ts',
    find: '[0x2c, 0xc0],',
    replace: '[0x2c, 0xffn],',
    caughtBy: 'fuzz',
  },
  {
    name: 'a store to part of a register clears the rest',
    file: 'jit/evaluator.ts',
    find: 'code.constant(BigInt.asIntN(64, ~(mask << shift)));',
    replace: 'code.constant(0n);',
    caughtBy: 'fuzz',
  },
  {
    name: 'a choice between two jump targets is the wrong way round',
    file: 'jit/evaluator.ts',
    find: 'this.jump(yes);\n      this.dead = false;',
    replace: 'this.jump(no);\n      this.dead = false;',
    caughtBy: 'fuzz',
  },
  {
    name: 'a select takes the other operand',
    file: 'jit/evaluator.ts',
    find: 'code.emit(OP.select);',
    replace: 'code.emit(0x45); code.emit(OP.select);',
    caughtBy: 'fuzz',
  },
  {
    name: 'the arguments of a function are taken in the wrong order',
    file: 'jit/evaluator.ts',
    find: 'for (let i = count - 1; i >= 0; i--) if (!isStatic(args[i]))',
    replace: 'for (let i = 0; i < count; i++) if (!isStatic(args[i]))',
    caughtBy: 'fuzz',
  },
  {
    name: 'RSI is not stored when a region ends',
    file: 'jit/region-locals.ts',
    find: 'if (write) this.written.add(slot);',
    replace: 'if (write && slot.address !== L.RSI) this.written.add(slot);',
    caughtBy: 'lockstep',
  },
  {
    name: 'blocks of an evicted module still lead to it',
    file: 'jit/jit.ts',
    find: 'this.blocks.view.setUint32(header + L.B_JIT, 0, true);',
    replace: '',
    caughtBy: 'eviction',
  },
  {
    name: 'the table of computed jumps is used again while its region lives',
    file: 'jit/jit.ts',
    find: 'this.ring += bytes;',
    replace: '',
    caughtBy: 'fuzz',
  },
  {
    name: 'a full region does not make entries of what its last blocks jump back to',
    file: 'jit/region.ts',
    find: 'if (known !== undefined) known.entered ||= entered;\n      else',
    replace: 'if (known !== undefined && kept < MAXIMUM_BLOCKS) known.entered ||= entered;\n      else',
    caughtBy: 'fullRegion',
  },
  {
    name: 'where two ways meet, a constant of one of them is lost',
    file: 'jit/evaluator.ts',
    find: 'if (isStatic(known)) set(code, this.residual(this.top, i), known);',
    replace: '',
    caughtBy: 'float',
  },
  {
    name: 'code that sets a local is taken out with the value that nobody wants',
    file: 'wasm/code.ts',
    find: 'if (op === OP.localGet || op === OP.i32Const',
    replace: 'if (op === OP.localGet || op === OP.localTee || op === OP.i32Const',
    caughtBy: 'fuzz',
  },
];
