/**
 * A kernel that KASLR has moved: its code and data are elsewhere, but per-CPU distances and absolute numbers are what they
 * were linked to. They once got the slide added, and memory was read in the middle of nowhere.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import { compile } from '../../src/debugger/expression/compile.ts';
import { liveContext } from '../../src/debugger/frames.ts';
import { Module, ModuleSet } from '../../src/debugger/modules.ts';
import { ModuleScope } from '../../src/debugger/names.ts';
import { createLocalSymbols, kallsymsElf, type SymbolFile } from '../../src/symbols/index.ts';
import { missing, openSymbols, run, temporaryDirectory } from '../symbols/tools.ts';
import { FakeTarget } from './fake-target.ts';

const skip = missing('gcc', 'strip');
const slide = 0x25a0_0000n;
const text = 0xffff_ffff_8100_0000n;

/** Sections as in arch/x86/kernel/vmlinux.lds.S: per-CPU variables at 0, and numbers that the linker script defines. */
const script = `
PHDRS { text PT_LOAD FLAGS(5); data PT_LOAD FLAGS(6); percpu PT_LOAD FLAGS(6); }
SECTIONS {
  . = ${text};
  .text : { *(.text*) } :text
  .data ALIGN(4096) : { *(.data) *(.bss) *(COMMON) } :data
  after = .;
  .data..percpu 0 : AT(0x3000000) { *(.data..percpu.first) *(.data..percpu) } :percpu
  number = 0x1234;
  /DISCARD/ : { *(.comment) *(.note*) *(.eh_frame) }
}`;
const program = `
struct task { int pid; };
__attribute__((section(".data..percpu.first"))) char fixed_percpu_data[64];
__attribute__((section(".data..percpu"))) struct task *current_task;
struct task init_task = { 7 };
extern char number[];
void start_kernel(void) { current_task = &init_task; init_task.pid = (int)(long)number; }
`;

describe('symbols of a moved kernel', { skip }, () => {
  const folder = skip === false ? temporaryDirectory() : '';
  const output = path.join(folder, 'vmlinux');
  let files: readonly (readonly [string, SymbolFile])[] = [];

  before(async () => {
    writeFileSync(path.join(folder, 'kernel.ld'), script);
    writeFileSync(path.join(folder, 'kernel.c'), program);
    const options = '-static -nostdlib -ffreestanding -no-pie -fno-pie -mcmodel=kernel -O0'.split(' ');
    const build = (name: string, ...more: readonly string[]): string => {
      const file = path.join(folder, name);
      const link = [`-Wl,-T,${path.join(folder, 'kernel.ld')}`, '-Wl,--build-id=none', '-Wl,-e,start_kernel'];
      run('gcc', [...options, ...more, path.join(folder, 'kernel.c'), ...link, '-o', file]);
      return file;
    };
    build('vmlinux', '-gdwarf-5');
    files = [
      ['DWARF 5', await openSymbols(output)],
      ['DWARF 4', await openSymbols(build('vmlinux4', '-gdwarf-4'))],
      ['no DWARF', await openSymbols(build('vmlinux0', '-g0'))],
      ['kallsyms', await kallsyms(await openSymbols(output))],
    ];
  });

  /** The same names as the kernel's own table has them: addresses of where it runs, and per-CPU distances. */
  async function kallsyms(file: SymbolFile): Promise<SymbolFile> {
    const all = (await file.symbols()).filter(({ name, kind }) => name !== '' && kind !== 'section' && kind !== 'file');
    const symbols = all.map(({ name, address }) => ({
      name,
      type: address < text ? 'A' : 'T',
      address: address < text ? address : address + slide,
    }));
    symbols.sort((a, b) => (a.address < b.address ? -1 : 1));
    const table = { relativeBase: text + slide, symbols };
    const service = createLocalSymbols({ openFile: () => assert.fail('not used here') });
    return service.open({ kind: 'bytes', bytes: kallsymsElf(table, slide) }, 'kallsyms');
  }

  async function valueOf(file: SymbolFile, expression: string): Promise<bigint> {
    const modules = new ModuleSet();
    modules.add(new Module('vmlinux', file, slide));
    const compiled = await compile(`(unsigned long)${expression}`, new ModuleScope(modules, undefined));
    const context = liveContext(new FakeTarget(1), 0, { row: null, frameBase: null, loadBias: 0n });
    return BigInt.asUintN(64, compiled.scalar(context) as bigint);
  }

  it('per-CPU variables and absolute numbers stay, all else moves', async () => {
    const linked = await openSymbols(output);
    const of = async (name: string): Promise<bigint> => (await linked.symbolsNamed(name))[0]?.address ?? -1n;
    assert.equal(await of('current_task'), 64n);
    for (const [title, file] of files) {
      assert.equal(await valueOf(file, '&fixed_percpu_data'), 0n, title);
      assert.equal(await valueOf(file, '&current_task'), 64n, title);
      assert.equal(await valueOf(file, '&number'), 0x1234n, title);
      assert.equal(await valueOf(file, '&init_task'), (await of('init_task')) + slide, title);
      assert.equal(await valueOf(file, 'start_kernel'), (await of('start_kernel')) + slide, title);
    }
  });

  it('no address is taken for that of a per-CPU variable', () => {
    for (const [title, file] of files) {
      const module = new Module('vmlinux', file, slide);
      assert.equal(module.covers(slide + 64n), false, `${title}: a program of the guest may be there`);
      assert.equal(module.covers(64n), false, title);
      assert.equal(module.covers(text + slide), true, title);
    }
  });
});
