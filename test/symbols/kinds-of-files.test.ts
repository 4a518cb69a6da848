/**
 * Where debugging information may be: compressed, beside the kernel, for code that the linker threw away, in files that are
 * not read. What is there is found, and what cannot be read is said.
 */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { createLocalSymbols, type SymbolFile } from '../../src/symbols/index.ts';
import { missing, openSymbols, run, temporaryDirectory } from './tools.ts';

const skip = missing('gcc', 'objcopy', 'strip');
const program = `
struct pair { int left, right; } here = { 10, 20 };
static int twice(int x)
{
  return 2 * x;
}
int never(int y) { return y + 1; }
void _start(void) { here.left = twice(here.right); for (;;) ; }
`;

describe('kinds of symbol files', { skip }, () => {
  const folder = skip === false ? temporaryDirectory() : '';
  const source = join(folder, 'kinds.c');
  const build = (name: string, ...options: readonly string[]): string => {
    const output = join(folder, name);
    run('gcc', ['-g', '-O0', '-static', '-nostdlib', '-ffreestanding', '-no-pie', ...options, source, '-o', output]);
    return output;
  };
  const copy = (input: string, name: string, ...options: readonly string[]): string => {
    const output = join(folder, name);
    run('objcopy', [...options, input, output]);
    return output;
  };
  let whole = '';
  before(() => {
    writeFileSync(source, program);
    whole = build('whole.elf');
  });

  const warnings = async (file: SymbolFile): Promise<readonly string[]> =>
    (await file.warnings()).map(({ message }) => message);

  /** What a session would see. */
  async function seen(path: string): Promise<object> {
    const file = await openSymbols(path);
    const [entry] = await file.functionBreakpoints('_start');
    const [global] = await file.globalsNamed('here');
    const types = global === undefined ? [] : await file.types([global.type]);
    const pair = types.find(({ kind }) => kind === 'struct');
    return {
      line: entry?.location?.line,
      file: entry?.location?.file.path,
      members: pair?.kind === 'struct' ? pair.members.map(({ name }) => name) : [],
      warnings: await warnings(file),
    };
  }

  for (const format of ['zlib', 'zlib-gnu']) {
    it(`sections compressed with ${format} are read`, async () => {
      const file = copy(whole, `${format}.elf`, `--compress-debug-sections=${format}`);
      assert.ok(readFileSync(file).length < readFileSync(whole).length, 'it is compressed');
      assert.deepEqual(await seen(file), await seen(whole));
    });
  }

  it('a compressed section that is damaged is said by name, and the rest lives', async () => {
    const bytes = new Uint8Array(readFileSync(copy(whole, 'damaged.elf', '--compress-debug-sections=zlib')));
    const symbols = createLocalSymbols({ openFile: () => assert.fail('not used here') });
    const intact = await symbols.open({ kind: 'bytes', bytes }, 'damaged.elf');
    const { fileOffset, size } = intact.elf.sections.find(({ name }) => name === '.shstrtab') ?? assert.fail();
    assert.ok(fileOffset + size <= bytes.length);
    // The first compressed section of the file: its data, behind the header of 24 bytes.
    const view = new DataView(bytes.buffer);
    const table = Number(view.getBigUint64(0x28, true));
    for (let index = 1; index < view.getUint16(0x3c, true); index++) {
      const header = table + 64 * index;
      if ((view.getBigUint64(header + 8, true) & 0x800n) === 0n) continue;
      const at = Number(view.getBigUint64(header + 0x18, true));
      bytes.fill(0xff, at + 24 + 2, at + Number(view.getBigUint64(header + 0x20, true)));
    }
    const damaged = await symbols.open({ kind: 'bytes', bytes }, 'damaged.elf');
    assert.equal(damaged.elf.hasDebugInformation, false);
    assert.match(
      (await warnings(damaged)).join('\n'),
      /damaged\.elf has a section \.debug_info that cannot be decompressed/,
    );
    assert.equal((await damaged.symbolsNamed('never')).length, 1);
  });

  it('a compressed section that claims a gigantic size is refused', async () => {
    const bytes = new Uint8Array(readFileSync(copy(whole, 'bomb.elf', '--compress-debug-sections=zlib')));
    const view = new DataView(bytes.buffer);
    const table = Number(view.getBigUint64(0x28, true));
    for (let index = 1; index < view.getUint16(0x3c, true); index++) {
      const header = table + 64 * index;
      if ((view.getBigUint64(header + 8, true) & 0x800n) === 0n) continue;
      view.setBigUint64(Number(view.getBigUint64(header + 0x18, true)) + 8, 1n << 40n, true);
    }
    const symbols = createLocalSymbols({ openFile: () => assert.fail('not used here') });
    const file = await symbols.open({ kind: 'bytes', bytes }, 'bomb.elf');
    assert.match((await warnings(file)).join('\n'), /would have 1099511627776 bytes when decompressed: too many/);
  });

  it('zstd is said by name, with what to do', async (t) => {
    let file = '';
    try {
      file = copy(whole, 'zstd.elf', '--compress-debug-sections=zstd');
    } catch (error) {
      t.skip(`this objcopy has no zstd: ${String(error).slice(0, 80)}`);
      return;
    }
    assert.match(
      (await warnings(await openSymbols(file))).join('\n'),
      /\.debug_info.*zstd.*--decompress-debug-sections/,
    );
  });

  it('a function that the linker threw away has no place', async () => {
    const file = await openSymbols(build('gc.elf', '-ffunction-sections', '-Wl,--gc-sections'));
    assert.deepEqual(await file.functionBreakpoints('never'), []);
    assert.equal(await file.functionAt(0n), null);
    assert.equal((await file.functionBreakpoints('twice')).length, 1, 'a function that is there has one');
    const linked = await openSymbols(whole);
    assert.equal((await linked.functionBreakpoints('never')).length, 1);
  });

  it('types in type units of DWARF 5 have their members', async () => {
    const units = (await seen(build('units5.elf', '-gdwarf-5', '-fdebug-types-section'))) as { members: unknown };
    assert.deepEqual(units.members, ['left', 'right']);
  });

  it('what is not read is said: split DWARF, .debug_types, relocatable files', async () => {
    for (const version of ['-gdwarf-5', '-gdwarf-4']) {
      const split = await openSymbols(build(`split${version}.elf`, version, '-gsplit-dwarf'));
      assert.match(
        (await warnings(split)).join('\n'),
        /separate \.dwo files, which are not read.*-gsplit-dwarf/,
        version,
      );
    }
    const types = await openSymbols(build('units4.elf', '-gdwarf-4', '-fdebug-types-section'));
    assert.match((await warnings(types)).join('\n'), /\.debug_types \(DWARF 4\), which is not read/);
    const object = await openSymbols(build('kinds.o', '-c'));
    assert.match(
      (await warnings(object)).join('\n'),
      /is a relocatable file: where its sections are loaded is not known/,
    );
    assert.deepEqual(await warnings(await openSymbols(whole)), []);
  });

  it('a file of debugging information alone has no code to look at', async () => {
    const alone = await openSymbols(copy(whole, 'alone.debug', '--only-keep-debug'));
    const linked = await openSymbols(whole);
    const [entry] = await linked.functionBreakpoints('twice');
    assert.ok(entry);
    assert.notEqual(await linked.readImage(entry.entry, 4), null);
    assert.equal(await alone.readImage(entry.entry, 4), null, 'zeros are no code');
    assert.deepEqual(await alone.functionBreakpoints('twice'), await linked.functionBreakpoints('twice'));
  });
});
