/**
 * Symbols that no debugging information describes: what they hold can be shown and their address can be cast, but nothing
 * is answered that depends on their type. An index into one once gave a byte of it as if that were an element.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import { DebuggerError } from '../../src/debugger/errors.ts';
import { compile } from '../../src/debugger/expression/compile.ts';
import { formatValue } from '../../src/debugger/format.ts';
import { liveContext } from '../../src/debugger/frames.ts';
import { Module, ModuleSet } from '../../src/debugger/modules.ts';
import { ModuleScope } from '../../src/debugger/names.ts';
import { withTypes } from '../../src/debugger/types.ts';
import { missing, openSymbols, run, temporaryDirectory } from '../symbols/tools.ts';
import { FakeTarget } from './fake-target.ts';

const skip = missing('gcc');

const assembly = `
  .globl _start
_start: ret
  .data
  .balign 16
  .macro object name, size
  .globl \\name
  .type \\name, @object
  .size \\name, \\size
\\name:
  .endm
object table, 32
  .quad 0xffffffff8134d8b0, 2, 3, 4
object word, 8
  .quad table
object half, 2
  .short 0x1234
label:
  .long 0xdeadbeef
`;

describe('a symbol without a type', { skip }, () => {
  const modules = new ModuleSet();
  const target = new FakeTarget(1);

  before(async () => {
    const folder = temporaryDirectory();
    const source = path.join(folder, 'symbols.S');
    const output = path.join(folder, 'symbols.elf');
    writeFileSync(source, assembly);
    run('gcc', ['-static', '-nostdlib', '-no-pie', source, '-o', output]);
    const file = await openSymbols(output);
    const [table] = await file.symbolsNamed('table');
    assert.ok(table);
    target.map(table.address, (await file.readImage(table.address, 46)) ?? assert.fail('no image'));
    modules.add(new Module('symbols.elf', file));
  });

  async function show(text: string): Promise<string> {
    const compiled = await compile(text, new ModuleScope(modules, undefined));
    const context = liveContext(target, 0, { row: null, frameBase: null, loadBias: 0n });
    return withTypes(() => formatValue(compiled.evaluate(context), { hexadecimal: true, symbolize: () => undefined }));
  }

  for (const text of [
    'table[0]',
    'table[1]',
    '*table',
    'table + 1',
    'table.member',
    'table->member',
    '(&table)[1]',
    '&table + 1',
    '&table - 1',
    '&table - &table',
    'table@2',
    '(char *)table',
    '!table',
    'word[0]',
    '*word',
    'word->member',
    '&word + 1',
    'half[0]',
    'half@4',
    'label[0]',
    'label.member',
    '&label + 1',
    'label@2',
    'sizeof label',
  ]) {
    it(`refuses ${text}`, async () => {
      await assert.rejects(
        show(text),
        (error) => error instanceof DebuggerError && /does not say what type|size of '<no type>'/.test(error.message),
      );
    });
  }

  it('is shown as what is known of it', async () => {
    assert.match(await show('table'), /^\[32\] \{0xb0/);
    assert.equal(await show('half'), '0x1234');
    assert.equal(await show('label'), '<type not described>', 'not one byte of it');
    assert.equal(await show('sizeof table'), '0x20');
    const compiled = await compile('table', new ModuleScope(modules, undefined));
    assert.equal(compiled.store.nameOf(compiled.type), '<no type, 32 bytes>');
  });

  it('is whatever its address is cast to', async () => {
    assert.equal(await show('*(unsigned long *)&table'), '0xffffffff8134d8b0');
    assert.equal(await show('((unsigned long *)&table)[3]'), '0x4');
    assert.equal(await show('*(unsigned int *)&label'), '0xdeadbeef');
    assert.equal(await show('*(unsigned long *)word == 0xffffffff8134d8b0'), '0x1');
    assert.equal(await show('word + 0 == (unsigned long)&table'), '0x1');
  });
});
