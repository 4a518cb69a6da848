// Faults of symbols and dap.
import type { Mutant } from './mutant.ts';

const gdb = ['test/symbols/gdb.test.ts'];

export const symbolMutants: readonly Mutant[] = [
  {
    file: 'src/symbols/dwarf/call-frame.ts',
    find: '          state.cfa = remembered.cfa;\n',
    replace: '',
    why: 'frames behind an early return are unwound with the wrong canonical frame address',
    tests: gdb,
  },
  {
    file: 'src/symbols/dwarf/call-frame.ts',
    find: `          advance(BigInt(low));
          if (this.#location > this.#pc) return;`,
    replace: `          advance(BigInt(low));
          if (this.#location >= this.#pc) return;`,
    why: 'the rules of a row count one instruction late',
    tests: gdb,
  },
  {
    file: 'src/symbols/unwind.ts',
    find: '(row.signalFrame && register !== machine.pc)',
    replace: '(row.signalFrame && false)',
    why: 'the registers of interrupted code are lost behind a signal frame',
    tests: ['src/symbols/unwind.test.ts'],
    quick: true,
  },
  {
    file: 'src/symbols/unwind.ts',
    find: 'if (returnAddress === undefined) {',
    replace: "if (returnAddress === undefined) {\n    if (!outermost) return { kind: 'outermost', cfa: frame };",
    why: 'a stack that cannot be read looks as if it ended there, and nobody is told',
    tests: ['src/symbols/unwind.test.ts'],
  },
  {
    file: 'src/symbols/dwarf/expression.ts',
    find: 'if (this.#pop().value !== 0n) this.#jump(distance);',
    replace: 'if (this.#pop().value === 0n) this.#jump(distance);',
    why: 'conditional locations are read the wrong way round',
    tests: ['src/symbols/dwarf/expression.test.ts'],
    quick: true,
  },
  {
    file: 'src/symbols/dwarf/expression.ts',
    find: "throw optimizedOut('It is known only as the value on entry",
    replace: "return this.#push(0n); throw optimizedOut('It is known only as the value on entry",
    why: 'a variable that was optimised away is shown as 0',
    tests: ['src/symbols/dwarf/expression.test.ts'],
  },
  {
    file: 'src/symbols/dwarf/line-program.ts',
    find: 'advance(BigInt(Math.floor(special / lineRange)));',
    replace: 'advance(BigInt(Math.ceil(special / lineRange)));',
    why: 'rows of the line table stand one instruction late',
    tests: ['src/symbols/dwarf/line-program.test.ts', ...gdb],
  },
  {
    file: 'src/symbols/search.ts',
    find: 'if (range !== undefined && address < range.end) found.push(range);',
    replace: 'if (range !== undefined && address <= range.end) found.push(range);',
    why: 'the address behind a unit is taken for one of the unit',
    tests: ['src/symbols/search.test.ts'],
    quick: true,
  },
  {
    file: 'src/symbols/search.ts',
    find: 'if (last === undefined || range.start > last.end) joined.push(range);',
    replace: 'if (last === undefined || range.start >= last.end) joined.push(range);',
    why: 'ranges that touch are not joined: a step over them stops in between',
    tests: ['src/symbols/search.test.ts'],
  },
  {
    file: 'src/symbols/prologue.ts',
    find: 'return row !== null && row.start !== pc && inside(row.end) ? row.end : pc;',
    replace: 'return pc;',
    why: 'a breakpoint on a function stops in the middle of its prologue, where arguments are not there yet',
    tests: ['src/symbols/prologue.test.ts'],
  },
  {
    file: 'src/symbols/breakpoints.ts',
    find: 'const actual = rows.find((row) => row.line >= line)?.line;',
    replace: 'const actual = rows.find((row) => row.line > line)?.line;',
    why: 'a breakpoint lands on the line below',
    tests: ['test/debugger/steps.test.ts', 'test/dap/stories.test.ts'],
  },
];

export const dapMutants: readonly Mutant[] = [
  {
    file: 'src/dap/stops.ts',
    find: 'allThreadsStopped: true,',
    replace: 'allThreadsStopped: false,',
    why: 'clients believe that the other vCPUs run on',
    tests: ['src/dap/stops.test.ts'],
  },
  {
    file: 'src/dap/stops.ts',
    find: '`${text.slice(0, limit - 1)}…`',
    replace: '`${text.slice(0, limit)}…`',
    why: 'a badge is one character too long and squeezes the name away',
    tests: ['src/dap/stops.test.ts'],
  },
  {
    file: 'src/dap/references.ts',
    find: 'this.handles = new Handles(this.last + 1);',
    replace: 'this.handles = new Handles(1);',
    why: 'a reference of before the guest ran means another variable now',
    tests: ['test/dap/running.test.ts', 'test/dap/stories.test.ts'],
  },
  {
    file: 'src/dap/framing.ts',
    find: 'if (length > MESSAGE_LIMIT) {',
    replace: 'if (length > 2 * MESSAGE_LIMIT) {',
    why: 'a message of any size is kept in memory',
    tests: ['src/dap/framing.test.ts'],
  },
  {
    file: 'src/dap/framing.ts',
    find: 'const header = new TextEncoder().encode(`Content-Length: ${body.length}',
    replace: 'const header = new TextEncoder().encode(`Content-Length: ${JSON.stringify(message).length}',
    why: 'a message with a letter outside ASCII is cut off',
    tests: ['test/dap/framing-oracle.test.ts'],
  },
  {
    file: 'src/dap/serial.ts',
    find: 'output: this.decoder.decode(all, { stream: true })',
    replace: 'output: this.decoder.decode(all)',
    why: 'a letter that is split between two slices shows as two question marks',
    tests: ['src/dap/serial.test.ts'],
  },
  {
    file: 'src/dap/source-paths.ts',
    find: 'sort(([a], [b]) => b.length - a.length);',
    replace: 'sort(([a], [b]) => a.length - b.length);',
    why: 'a general entry of sourceMap hides the special one',
    tests: ['src/dap/source-paths.test.ts'],
  },
  {
    file: 'src/dap/life.ts',
    find: "launch: RUNNING_ALREADY,\n    configurationDone: 'starting',",
    replace: "launch: 'launching',\n    configurationDone: 'starting',",
    why: 'a second launch takes the machine of the first away',
    tests: ['src/dap/life.test.ts', 'test/dap/lifecycle.test.ts'],
  },
];
