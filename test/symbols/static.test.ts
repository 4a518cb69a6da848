/** What can be known of a program without a state: gdb and objdump judge lines, functions, types, globals, breakpoints. */

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { evaluateVariable, TypeTable, type LineRow, type SymbolFile, type Type } from '../../src/symbols/index.ts';
import { askGdb, compile, missing, openSymbols, run, temporaryDirectory } from './tools.ts';

const guest = fileURLToPath(new URL('../../guests/smp/smp.elf', import.meta.url));
const skip = missing('gdb', 'gcc', 'objdump');

interface JudgedType {
  readonly error?: string;
  readonly sizeof: number;
  readonly text: string;
  readonly stripped: string;
  readonly fields?: readonly {
    readonly name: string;
    readonly bitpos: number | null;
    readonly bitsize: number;
    readonly type: string;
    readonly sizeof: number;
  }[];
  readonly enumerators?: readonly (readonly [string, string])[];
}

interface JudgedGlobal {
  readonly address: string | null;
  readonly type: string;
  readonly sizeof: number;
}

interface JudgedFunction {
  readonly name: string;
  readonly start: string;
  readonly end: string;
  readonly line: number;
}

describe('static judgement', { skip }, () => {
  const directory = skip === false ? temporaryDirectory() : '';
  const programs: (readonly [string, () => string])[] = [
    ['smp.elf', () => guest],
    ...[
      ['-gdwarf-5', '-O0'],
      ['-gdwarf-5', '-O2'],
      ['-gdwarf-4', '-O2'],
      ['-gdwarf-3', '-O1'],
      ['-gdwarf-2', '-O0'],
    ].flatMap((options) =>
      ['shapes', 'flow'].map((name): readonly [string, () => string] => [
        `${name}.c ${options.join(' ')}`,
        () => compile(`${name}.c`, join(directory, `${name}${options.join('')}.elf`), options),
      ]),
    ),
    ['flow.c for i386', () => compile('flow.c', join(directory, 'flow32.elf'), ['-m32', '-O2', '-gdwarf-5'])],
    [
      'shapes.c with type units',
      () => compile('shapes.c', join(directory, 'units.elf'), ['-gdwarf-5', '-fdebug-types-section']),
    ],
  ];
  for (const [title, compileIt] of programs) {
    let made: string | null = null;
    const make = (): string => (made ??= compileIt());
    describe(title, { skip: title === 'smp.elf' && !existsSync(guest) && 'the guest is not built' }, () => {
      it('line table', async () => compareLineTable(make()));
      it('lines of addresses', async () => compareLines(make(), directory));
      it('symbols', async () => compareSymbols(make(), directory));
      it('steps by line', async () => checkSteps(make()));
      it('functions', async () => compareFunctions(make(), directory));
      it('types', async () => compareTypes(make(), directory));
      it('globals', async () => compareGlobals(make(), directory));
      it('breakpoints', async () => compareBreakpoints(make(), directory));
      it('no warnings', async () => {
        const file = await openSymbols(make());
        await file.lineTable();
        await file.typeNamed('int');
        await file.functions();
        await file.unwindRowAt(0n);
        assert.deepEqual(await file.warnings(), []);
      });
    });
  }
});

/** Rows as objdump decodes them: file name, line, address, is_stmt. */
async function compareLineTable(path: string): Promise<void> {
  const file = await openSymbols(path);
  const files = new Map((await file.sourceFiles()).map((source) => [source.id, source]));
  const theirs: string[] = [];
  for (const text of run('objdump', ['--dwarf=decodedline', path]).split('\n')) {
    const match = /^(\S+)\s+(\d+|-)\s+(0x[0-9a-f]+|0)\s*(?:\d+\s*)?(x)?\s*(END)?\s*$/.exec(text);
    if (match === null) continue;
    const [, name = '', line = '', address = '', isStmt, end] = match;
    if (line === '-') continue;
    if (end === undefined) theirs.push(`${BigInt(address)} ${name} ${line} ${isStmt === 'x'}`);
  }
  const ours = (await file.lineTable())
    .filter(({ endSequence }) => !endSequence)
    .map((row) => `${row.address} ${files.get(row.file)?.name} ${row.line} ${row.isStmt}`);
  assert.ok(theirs.length > 20);
  assert.deepEqual(ours.toSorted(), theirs.toSorted());
}

async function allRows(file: SymbolFile): Promise<readonly bigint[]> {
  return (await file.lineTable()).filter(({ endSequence }) => !endSequence).map(({ address }) => address);
}

async function compareLines(path: string, directory: string): Promise<void> {
  const file = await openSymbols(path);
  const discriminated = new Set(
    (await file.lineTable()).filter((row) => row.discriminator !== 0).map((row) => row.line),
  );
  const addresses = (await allRows(file)).flatMap((address) => [address, address + 1n]);
  const judged = askGdb('lines', addresses.map(String), [path], directory) as Record<
    string,
    { file: string | null; line: number }
  >;
  const differences: string[] = [];
  for (const address of new Set(addresses)) {
    const line = await file.lineAt(address);
    const judge = judged[String(address)];
    const ours = line === null ? 'none' : `${line.file.name} ${line.line}`;
    const theirs = judge?.file ? `${judge.file.split('/').pop()} ${judge.line}` : 'none';
    // gdb drops rows with a discriminator whose line is that of the row before, and then shows the line before those.
    if (ours !== theirs && !(line !== null && discriminated.has(line.line))) {
      differences.push(`0x${address.toString(16)}: ${ours}, gdb ${theirs}`);
    }
  }
  assert.deepEqual(differences, []);
}

/** The ELF symbol at and just after every symbol. */
async function compareSymbols(path: string, directory: string): Promise<void> {
  const file = await openSymbols(path);
  const all = (await file.symbols()).filter(({ kind, section }) => kind === 'function' || section === '.text');
  const addresses = [...new Set(all.flatMap(({ address }) => [address, address + 3n]))];
  const judged = askGdb('symbols', addresses.map(String), [path], directory) as Record<string, string | null>;
  const differences: string[] = [];
  for (const address of addresses) {
    const hit = await file.symbolAt(address);
    const name = hit === null ? null : hit.offset === 0n ? hit.symbol.name : `${hit.symbol.name} + ${hit.offset}`;
    const theirs = judged[String(address)]?.replace(/ in section .*/, '') ?? null;
    // Of several names for one place any will do.
    const aliases = all.filter((symbol) => symbol.address === hit?.symbol.address).map((symbol) => symbol.name);
    const same = name === theirs || (theirs !== null && aliases.includes(theirs.split(' ')[0] ?? ''));
    if (!same) differences.push(`0x${address.toString(16)}: ${name}, gdb ${theirs}`);
  }
  assert.deepEqual(differences, []);
}

/** The ranges of a step hold the pc, belong to its line only and to its function or inlined instance only. */
async function checkSteps(path: string): Promise<void> {
  const file = await openSymbols(path);
  for (const pc of new Set(await allRows(file))) {
    // The last rows of a sequence may stand for no code.
    if ((await file.lineAt(pc)) === null) continue;
    const step = await file.stepRanges(pc);
    assert.ok(step !== null, `0x${pc.toString(16)}`);
    const depth = (await file.functionAt(pc))?.inlined.length ?? 0;
    assert.equal(step.inlineDepth, depth);
    assert.ok(
      step.ranges.some(({ start, end }) => pc >= start && pc < end),
      `0x${pc.toString(16)}`,
    );
    for (const { start, end } of step.ranges) {
      for (const place of [start, end - 1n]) {
        const line = await file.lineAt(place);
        assert.deepEqual([line?.file.id, line?.line], [step.file.id, step.line]);
        assert.equal((await file.functionAt(place))?.inlined.length ?? 0, depth);
      }
    }
  }
}

async function compareFunctions(path: string, directory: string): Promise<void> {
  const file = await openSymbols(path);
  const functions = await file.functions();
  assert.ok(functions.length > 1);
  const judged = askGdb(
    'functions',
    functions.map(({ entry }) => String(entry)),
    [path],
    directory,
  ) as Record<string, JudgedFunction | null>;
  const ours = functions.map(({ name, entry, ranges, declarationLine }) => {
    const start = ranges.reduce((least, range) => (range.start < least ? range.start : least), entry);
    const end = ranges.reduce((most, range) => (range.end > most ? range.end : most), entry);
    return { entry: String(entry), name, start: String(start), end: String(end), line: declarationLine };
  });
  const theirs = ours.map(({ entry }) => {
    const { name = '', start = '', end = '', line = 0 } = judged[entry] ?? {};
    return { entry, name, start, end, line };
  });
  assert.deepEqual(ours, theirs);
}

/** A type's name without what gdb writes differently. */
function sameText(text: string): string {
  return text
    .replaceAll(/\b(struct|union|enum) \{\.\.\.\}/g, '$1 {...}')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/ (?=[*[\])])/g, '')
    .replaceAll(/(?<=[*([]) /g, '');
}

function differ(types: TypeTable, type: Type, judge: JudgedType): string[] {
  const found: string[] = [];
  const expect = (what: string, ours: unknown, theirs: unknown): void => {
    if (ours !== theirs) found.push(`${type.name} ${what}: ${String(ours)}, gdb ${String(theirs)}`);
  };
  const resolved = types.resolve(type.id);
  if (resolved === undefined) return [`${type.name} does not resolve`];
  if (resolved.byteSize !== null) expect('size', resolved.byteSize, judge.sizeof);
  if (resolved.kind === 'struct' || resolved.kind === 'union') {
    expect('members', resolved.members.length, judge.fields?.length ?? 0);
    for (const [index, member] of resolved.members.entries()) {
      const field = judge.fields?.[index];
      if (field === undefined) continue;
      const target = types.get(member.type);
      expect(`member ${index}`, member.name ?? '', field.name);
      const { bitSize = 0, bitOffset = member.byteOffset * 8 } = member.bitField ?? {};
      expect(`${member.name} position`, bitOffset, field.bitpos);
      expect(`${member.name} bits`, bitSize, field.bitsize);
      expect(`${member.name} type`, sameText(target?.name ?? ''), sameText(field.type));
    }
  }
  if (resolved.kind === 'enum') {
    const ours = resolved.enumerators.map(({ name, value }) => `${name}=${value}`).join();
    expect('enumerators', ours, judge.enumerators?.map(([name, value]) => `${name}=${value}`).join());
  }
  return found;
}

async function compareTypes(path: string, directory: string): Promise<void> {
  const file = await openSymbols(path);
  const types = new TypeTable(file);
  const judged = askGdb('types', [], [path], directory) as Record<string, JudgedType>;
  const differences: string[] = [];
  let compared = 0;
  for (const [name, judge] of Object.entries(judged)) {
    if (judge.error !== undefined) continue;
    const id = await file.typeNamed(name);
    const type = id === null ? undefined : await types.load(id);
    if (type === undefined) differences.push(`${name} is not known`);
    else {
      compared++;
      differences.push(...differ(types, type, judge));
    }
  }
  assert.deepEqual(differences, []);
  assert.ok(compared >= 3, `only ${compared} types compared`);
}

async function compareGlobals(path: string, directory: string): Promise<void> {
  const file = await openSymbols(path);
  const types = new TypeTable(file);
  const listed = askGdb('global_names', [], [path], directory) as readonly string[];
  const names = new Set(listed.flatMap((text) => /(\w+)(?:\)\(.*\)|\[.*\]|\)\[.*\])*;$/.exec(text)?.[1] ?? []));
  const judged = askGdb('globals', [...names], [path], directory) as Record<string, JudgedGlobal | null>;
  const differences: string[] = [];
  for (const [name, judge] of Object.entries(judged)) {
    if (judge === null) continue;
    const [variable] = await file.globalsNamed(name);
    if (variable === undefined) {
      differences.push(`${name} is not known`);
      continue;
    }
    const type = await types.load(variable.type);
    // gdb may take the declaration, which has no bounds.
    const declared = judge.type.endsWith('[]');
    const location = evaluateVariable(variable.location, { register: () => undefined, readMemory: () => undefined });
    const address = location.kind === 'memory' ? String(location.address) : null;
    if (address !== judge.address) differences.push(`${name} is at ${address}, gdb ${judge.address}`);
    if (!declared && sameText(type?.name ?? '') !== sameText(judge.type)) {
      differences.push(`${name} has type ${type?.name}, gdb ${judge.type}`);
    }
    if (!declared && type?.byteSize !== null && type?.byteSize !== judge.sizeof) {
      differences.push(`${name} has size ${type?.byteSize}, gdb ${judge.sizeof}`);
    }
  }
  assert.deepEqual(differences, []);
  assert.ok(names.size > 1, `only ${names.size} globals compared`);
}

async function compareBreakpoints(path: string, directory: string): Promise<void> {
  const file = await openSymbols(path);
  const differences: string[] = [];
  const functions = [...new Set((await file.functions()).map(({ name }) => name))];
  const byFunction = askGdb('breakpoints', functions, [path], directory) as Record<string, Places>;
  for (const name of functions) {
    const found = await file.functionBreakpoints(name);
    const theirs = sorted(byFunction[name]);
    const ours = sorted(found.map(({ address }) => String(address)));
    // gdb does not know DW_AT_entry_pc of inlined instances: it takes their lowest address.
    const inlined = found.some((place) => place.inlined);
    const same = inlined ? ours.length === theirs.length : ours.join() === theirs.join();
    if (!same) differences.push(`${name}: ${ours.join(' ')}, gdb ${theirs.join(' ')}`);
  }
  assert.deepEqual(differences, []);

  const places = new Map<string, { file: number; line: number }>();
  for (const source of await file.sourceFiles()) {
    for (const { line } of await file.breakpointLocations(source.id, 1, 1_000_000)) {
      places.set(`${source.name}:${line}`, { file: source.id, line });
    }
  }
  const byLine = askGdb('breakpoints', [...places.keys()], [path], directory) as Record<string, Places>;
  let same = 0;
  const lines: string[] = [];
  const rows = await file.lineTable();
  for (const [name, { file: id, line }] of places) {
    const ours = sorted((await file.breakpointAddresses(id, line))?.addresses.map(({ address }) => String(address)));
    const theirs = sorted(byLine[name]);
    if (ours.join() === theirs.join()) same++;
    else if (!(await isBetter(file, rows, id, line, ours)))
      lines.push(`${name}: ${ours.join(' ')}, gdb ${theirs.join(' ')}`);
  }
  console.log(`${path.split('/').pop()}: ${same} of ${places.size} lines break where gdb breaks`);
  assert.deepEqual(lines, []);
  assert.ok(same > places.size * 0.8);
}

/**
 * gdb drops rows that are followed by a row of another file at the same address, and rows with a discriminator; and it
 * breaks in each lexical block. We break at the very line, once in each function or inlined instance. So where it
 * differs, each of our addresses must have a statement of exactly that line, or be behind a prologue.
 */
async function isBetter(
  file: SymbolFile,
  all: readonly LineRow[],
  id: number,
  line: number,
  ours: readonly string[],
): Promise<boolean> {
  const rows = all.filter((row) => row.file === id && row.line === line && row.isStmt);
  for (const address of ours) {
    const known = rows.some((row) => row.address === BigInt(address));
    if (!known && (await file.prologueEnd(BigInt(address))) !== BigInt(address)) return false;
  }
  return ours.length > 0;
}

type Places = readonly string[] | { readonly error: string };

function sorted(addresses: Places | undefined): string[] {
  if (addresses === undefined) return [];
  if (!isList(addresses)) return [`error: ${addresses.error}`];
  return [...new Set(addresses)].map((address) => `0x${BigInt(address).toString(16)}`).toSorted();
}

function isList(addresses: Places): addresses is readonly string[] {
  return Array.isArray(addresses);
}
