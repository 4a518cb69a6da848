// Writes src/core/assembly/core/decode-table.generated.ts from the opcode rows: packed rows for the decoder, and the
// registry of handler instances (one per operation, form and size).
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OpcodeRow } from '../src/core/opcodes/index.ts';
import { OPERAND_KINDS, OPERAND_SIZES, type Operand, type OperandKind } from '../src/core/opcodes/row.ts';
import * as RARE from '../src/core/assembly/rare.ts';
import { readRows, RowError } from './opcode-rows.ts';

const opcodeRows = await readRows();
const assembly = join(import.meta.dirname, '../src/core/assembly/core');
const output = join(assembly, 'decode-table.generated.ts');

/** What a handler file exports: type parameters and file, by function name. */
interface HandlerSource {
  readonly file: string;
  readonly typeParameters: number;
}
interface Sources {
  readonly handlers: ReadonlyMap<string, HandlerSource>;
  /** Constants by name: the arguments of rows; several files may export one name. */
  readonly constants: ReadonlyMap<string, ReadonlySet<string>>;
}

function readSources(): Sources {
  const handlers = new Map<string, HandlerSource>();
  const constants = new Map<string, Set<string>>();
  for (const name of readdirSync(join(assembly, 'handlers')).sort()) {
    const text = readFileSync(join(assembly, 'handlers', name), 'utf8');
    const file = name.replace(/\.ts$/, '');
    for (const match of text.matchAll(/export function (\w+)(?:<([^>]*)>)?\(/g)) {
      handlers.set(match[1] ?? '', { file, typeParameters: match[2] === undefined ? 0 : match[2].split(',').length });
    }
    for (const declaration of text.matchAll(/^export const ([^;]*);$/gm)) {
      for (const match of (declaration[1] ?? '').matchAll(/(\w+): u32 = /g)) addConstant(match[1] ?? '', file);
    }
  }
  return { handlers, constants };

  function addConstant(name: string, file: string): void {
    constants.set(name, (constants.get(name) ?? new Set()).add(file));
  }
}

const RM_KINDS: ReadonlySet<OperandKind> = new Set<OperandKind>(['E', 'M', 'W', 'O', 'Q']);
const POSITIONLESS: ReadonlySet<OperandKind> = new Set<OperandKind>(['I', 'sI', 'J', 'X', 'Y', 'T', 'name', 'A']);

/** Suffix of the handler's function for a form, by the operands. */
function suffix(operands: readonly Operand[], memory: boolean): string {
  const [first, second] = operands;
  if (first === undefined || POSITIONLESS.has(first.kind) || operands.some(({ kind }) => kind === 'X' || kind === 'Y'))
    return '';
  if (second === undefined) return memory ? '_m' : '_r';
  if (!memory) return '_rr';
  return RM_KINDS.has(first.kind) ? '_mr' : '_rm';
}

const SIZE_TYPES: Readonly<Record<string, readonly (string | undefined)[]>> = {
  // by R_FLAG_SIZE: 8, 16, 32, 64 bits
  b: ['u8', 'u8', 'u8', 'u8'],
  w: ['u16', 'u16', 'u16', 'u16'],
  d: ['u32', 'u32', 'u32', 'u32'],
  q: ['u64', 'u64', 'u64', 'u64'],
  v: [undefined, 'u16', 'u32', 'u64'],
  z: [undefined, 'u16', 'u32', 'u32'],
  y: [undefined, 'u32', 'u32', 'u64'],
};

/** Types to instantiate with, by R_FLAG_SIZE; an empty string for "none". */
function typeLists(row: OpcodeRow, explicit: string | undefined, count: number): (string | undefined)[] {
  if (count === 0) return ['', '', '', ''];
  const sized = row.operands.find(({ size }) => size !== 'n');
  const codes = explicit === undefined || explicit === '' ? [sized?.size ?? 'v'] : explicit.split(',');
  return [0, 1, 2, 3].map((size) => {
    const types = codes.slice(0, count).map((code) => SIZE_TYPES[code]?.[size]);
    return types.every((type) => type !== undefined) && types.length === count ? types.join(', ') : undefined;
  });
}

/** Handlers that stand in the interpreter's own switch, since kernels execute them most: a call by table would cost more than they do. */
const INLINE_HANDLERS = [
  /^arithmetic\.binary_(rr|rm|mr)<(u8|u32|u64)>\(arithmetic\.(ADD|OR|AND|SUB|XOR|CMP|TEST), r\)/,
  /^arithmetic\.unary_(r|m)<(u32|u64)>\(/,
  /^dataTransfer\.(mov|movzx|movsx|movsxd|lea)_(rr|rm|mr)<(u8|u32|u64)(, u8|, u16)?>/,
  /^dataTransfer\.nop/,
  /^dataTransfer\.cmov_rr<(u32|u64)>/,
  /^shift\.\w+_r<(u32|u64)>/,
  /^multiplyDivide\.imul\w*_r[rm]<(u32|u64)>/,
  /^string\.(movs|stos)</,
  /^sseMove\.move_(un)?aligned_/,
  /^stack\.(push|pop|leave)\w*<u64>/,
  /^control\.(jcc|jmp|call|ret|jmp_r|call_r|call_m|jmp_m)(<u64>)?\(/,
];
class Registry {
  readonly instances: string[] = ['']; // number 0: none
  readonly imports = new Map<string, Set<string>>();
  private readonly numbers = new Map<string, number>();
  private readonly sources: Sources;
  /** first: calls that take the numbers from 1 on. */
  constructor(sources: Sources, first: readonly string[] = []) {
    this.sources = sources;
    for (const call of first) this.number(call);
  }
  private use(file: string, name: string): string {
    this.imports.set(file, (this.imports.get(file) ?? new Set()).add(name));
    return `${alias(file)}.${name}`;
  }
  private number(call: string): number {
    const known = this.numbers.get(call);
    if (known !== undefined) return known;
    this.instances.push(call);
    this.numbers.set(call, this.instances.length - 1);
    return this.instances.length - 1;
  }
  /** Instance numbers of a row by form (register, memory) and size. */
  forms(row: OpcodeRow): number[] {
    if (typeof row.handler === 'number') return Array.from({ length: 8 }, () => this.number('rare(r);'));
    const match = /^(\w+)(?:<([\w,]*)>)?(?:\(([^)]*)\))?$/.exec(row.handler);
    if (match === null) throw new RowError(row, `the handler "${row.handler}" is not understood`);
    const [, name = '', explicit, args] = match;
    const numbers: number[] = [];
    for (const memory of [false, true]) {
      const possible = memory ? row.mod !== 'register' : row.mod !== 'memory';
      const full = this.sources.handlers.has(name + suffix(row.operands, memory))
        ? name + suffix(row.operands, memory)
        : name;
      const source = this.sources.handlers.get(full);
      const hasMemory = row.operands.some(({ kind }) => RM_KINDS.has(kind));
      const onlyMemory = row.operands.some(({ kind }) => kind === 'O');
      if (!possible || (memory && !hasMemory) || (!memory && onlyMemory)) {
        numbers.push(0, 0, 0, 0);
        continue;
      }
      if (source === undefined)
        throw new RowError(row, `no file of src/core/assembly/core/handlers exports a function ${full}`);
      for (const types of typeLists(row, explicit, source.typeParameters)) {
        if (types === undefined) numbers.push(0);
        else numbers.push(this.number(this.call(row, source.file, full, types, args)));
      }
    }
    return numbers;
  }
  private call(row: OpcodeRow, file: string, name: string, types: string, args: string | undefined): string {
    const constants = (args === undefined || args === '' ? [] : args.split(',')).map((arg) =>
      this.argument(row, file, arg.trim()),
    );
    return `${this.use(file, name)}${types === '' ? '' : `<${types}>`}(${[...constants, 'r'].join(', ')});`;
  }
  private argument(row: OpcodeRow, file: string, text: string): string {
    if (/^\d+$/.test(text)) return text;
    const files = this.sources.constants.get(text);
    if (files === undefined)
      throw new RowError(row, `no file of src/core/assembly/core/handlers exports a constant ${text}`);
    return this.use(files.has(file) ? file : ([...files][0] ?? file), text);
  }
}
const alias = (file: string): string => file.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

const PREFIXES = ['any', 'NP', '66', 'F3', 'F2', 'NFx'] as const;
const MODS = ['any', 'register', 'memory'] as const;
const MODES = ['all', 'only64', 'not64'] as const;
const SIZES64 = ['no', 'default', 'forced'] as const;
const fixedRegister = ({ text }: Operand): number => (text === 'CL' ? 1 : text === 'DX' ? 2 : 0);

/** Opcodes D8 to DF: their records carry FOP. */
const isX87 = ({ map, opcode }: OpcodeRow): boolean => map === 'one' && (opcode & 0xf8) === 0xd8;

/** Four words a row: what it demands, its operands, handler and attributes, immediate. See decoder.ts. */
function pack(row: OpcodeRow, forms: number): number[] {
  const demand =
    PREFIXES.indexOf(row.prefix) |
    ((row.reg ?? 15) << 3) |
    ((row.rm ?? 15) << 7) |
    (MODS.indexOf(row.mod) << 11) |
    (MODES.indexOf(row.modes) << 13) |
    (Number(row.withoutRexB) << 15) |
    (Number(row.hasModRM) << 16) |
    (Number(row.lockable) << 17) |
    (SIZES64.indexOf(row.size64) << 18) |
    (Number(row.vex && !row.operands.some(({ kind }) => kind === 'B')) << 28);
  let operands = 0;
  let fixed = 0;
  row.operands
    .filter(({ kind }) => kind !== 'name')
    .slice(0, 3)
    .forEach((operand, i) => {
      operands += (OPERAND_KINDS[operand.kind] | (OPERAND_SIZES[operand.size] << 5)) * 2 ** (9 * i);
      if (operand.kind === 'fixed') fixed |= fixedRegister(operand) << (2 * i);
    });
  const divides = typeof row.handler === 'string' && /^i?div$/.test(row.handler);
  const parameter = typeof row.handler === 'number' ? row.handler : divides ? RARE.RARE_DIV : (row.condition ?? 0);
  const readOnly = row.access === 'read' ? 1 : 0;
  return [
    demand | (fixed << 20) | (readOnly << 26) | (Number(isX87(row)) << 27),
    operands,
    forms | (row.attributes << 16) | (parameter << 24),
    row.immediate,
  ];
}

const sources = readSources();
const everything = new Registry(sources);
for (const row of opcodeRows) everything.forms(row);
// the interpreter's switch holds the first ones
const inSwitch = everything.instances.slice(1).filter((call) => INLINE_HANDLERS.some((pattern) => pattern.test(call)));
const registry = new Registry(sources, inSwitch);
const forms: number[] = [];
const formIndex = new Map<string, number>();
const rows: number[] = [];
const lists = new Map<number, number[]>();
opcodeRows.forEach((row, number) => {
  const numbers = registry.forms(row);
  const key = numbers.join();
  let at = formIndex.get(key);
  if (at === undefined) {
    at = forms.length / 8;
    formIndex.set(key, at);
    forms.push(...numbers);
  }
  rows.push(...pack(row, at).map((word) => word >>> 0));
  const map = row.vex ? ['0F38', '0F3A'].indexOf(row.map) + 4 : ['one', '0F', '0F38', '0F3A'].indexOf(row.map);
  for (let i = 0; i < row.span; i++) {
    const slot = map * 256 + row.opcode + i;
    lists.set(slot, [...(lists.get(slot) ?? []), number]);
  }
});
/** The four opcode maps, then those behind a VEX prefix that have rows: 0F38 and 0F3A. */
const MAPS = 6;
const END = 0xffff;
const list: number[] = [END];
const first = Array.from({ length: MAPS * 256 }, (_, slot) => {
  const numbers = lists.get(slot);
  if (numbers === undefined) return 0;
  list.push(...numbers, END);
  return list.length - numbers.length - 1;
});

const numbersText = (values: readonly number[]): string => {
  const lines: string[] = [];
  for (let i = 0; i < values.length; i += 16) lines.push(`  ${values.slice(i, i + 16).join(', ')},`);
  return lines.join('\n');
};
const imports = [...registry.imports.keys()]
  .sort()
  .map((file) => `import * as ${alias(file)} from './handlers/${file}';`);
const cases = registry.instances
  .slice(1)
  .map((call, i) => `    case ${i + 1}: return ix((r: usize): void => { ${call} });`);
const text = `// Generated by scripts/generate-decoder.ts from src/core/opcodes. Do not edit.
${imports.join('\n')}
import { rare } from './imports';

/** For each map and opcode: where its rows begin in ROW_LIST. */
export const FIRST_ROW: StaticArray<u16> = [
${numbersText(first)}
];
/** Row numbers, the most demanding first, each list ended by ${END}. */
export const ROW_LIST: StaticArray<u16> = [
${numbersText(list)}
];
/** Four words a row. */
export const ROWS: StaticArray<u32> = [
${numbersText(rows)}
];
/** Instance numbers: register form by size, memory form by size; 0: there is none. */
export const FORMS: StaticArray<u16> = [
${numbersText(forms)}
];
@inline function ix(f: (r: usize) => void): u32 { return f.index; }

/** Handlers 1 to IN_SWITCH stand in the switch of execute: their numbers have to be their indices in the function table. */
export const IN_SWITCH: u32 = ${inSwitch.length};
/** Executes a record whose handler has this index; the frequent ones without a call. */
@inline export function execute(handler: u32, r: usize): void {
  switch (handler - 1) {
${inSwitch.map((call, i) => `    case ${i}: { ${call} break; }`).join('\n')}
    default: call_indirect(handler, r);
  }
}

/** Index in the function table of a handler instance. */
export function handlerIndex(instance: u32): u32 {
  switch (instance) {
${cases.join('\n')}
    default: return ix((r: usize): void => { rare(r); });
  }
}
`;
let before = '';
try {
  before = readFileSync(output, 'utf8');
} catch {
  // first run
}
if (before !== text) writeFileSync(output, text);
console.log(`decoder: ${opcodeRows.length} rows, ${registry.instances.length - 1} handler instances`);
