/**
 * Damaged files: cut off, mutated, made up. Whatever happens must be a SymbolError or an answer, in time and memory of
 * the input's scale. Each question of the interface is asked of each file.
 */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { campaignSeed, fastCheckSeed } from '../harness/random.ts';
import {
  createLocalSymbols,
  evaluateFrameBase,
  evaluateVariable,
  readLocation,
  SymbolError,
  unwindFrame,
  type ByteSource,
  type EvaluationContext,
  type SymbolFile,
} from '../../src/symbols/index.ts';
import { compile, missing, temporaryDirectory } from './tools.ts';

const guest = fileURLToPath(new URL('../../guests/smp/smp.elf', import.meta.url));
const campaign = campaignSeed(1_234_567);
const seed = fastCheckSeed(campaign);
/** Generous: a real answer takes milliseconds. It only tells a hang from work. */
const timeLimit = 20_000;

const symbols = createLocalSymbols({
  openFile: (path) => {
    throw new Error(`ENOENT: no such file, ${path}`);
  },
});

const context: EvaluationContext = {
  register: (number) => (number < 17 ? BigInt(number) * 0x1001n : undefined),
  readMemory: (address, length) => (length <= 4096 ? new Uint8Array(length).fill(Number(address & 0xffn)) : undefined),
  cfa: 0x8000n,
  frameBase: 0x8000n,
};

/** Asks everything. Anything but a SymbolError is a failure. */
async function interrogate(bytes: Uint8Array): Promise<'opened' | SymbolError> {
  const source: ByteSource = { kind: 'bytes', bytes };
  let file: SymbolFile;
  try {
    file = await symbols.open(source, 'damaged.elf');
  } catch (error) {
    assert.ok(error instanceof SymbolError, String(error));
    assert.match(error.message, /^damaged\.elf /);
    return error;
  }
  const attempt = async <Result>(question: Promise<Result>, fallback: Result): Promise<Result> => {
    try {
      return await question;
    } catch (error) {
      if (!(error instanceof SymbolError)) throw error;
      return fallback;
    }
  };
  const places = [0n, file.elf.entry, 0xffff_ffff_ffff_ffffn, 0x100790n, 0x4010f0n];
  const functions = await attempt(file.functions(), []);
  places.push(...functions.slice(0, 40).flatMap(({ entry, ranges }) => [entry, (ranges[0]?.end ?? 1n) - 1n]));
  const rows = await attempt(file.lineTable(), []);
  places.push(...rows.slice(0, 20).map(({ address }) => address + 1n));
  const types: number[] = [];
  for (const pc of places) {
    await attempt(file.symbolAt(pc), null);
    await attempt(file.lineAt(pc), null);
    await attempt(file.stepRanges(pc), null);
    await attempt(file.prologueEnd(pc), null);
    await attempt(file.unitGlobals(pc), []);
    await attempt(file.callSiteAt(pc), null);
    await attempt(file.readImage(pc, 64), null);
    const at = await attempt(file.functionAt(pc), null);
    evaluateFrameBase(at?.frameBase ?? null, context);
    const row = await attempt(file.unwindRowAt(pc), null);
    if (row !== null) {
      const registers = new Map(Array.from({ length: 17 }, (_, number) => [number, BigInt(number) * 0x1001n]));
      unwindFrame(row, registers, (address, length) => context.readMemory(address, length));
    }
    for (const scope of await attempt(file.scopesAt(pc), [])) {
      for (const variable of [...scope.parameters, ...scope.blocks.flatMap((block) => block.variables)]) {
        types.push(variable.type);
        readLocation(evaluateVariable(variable.location, context), 16, context);
      }
    }
  }
  for (const { id } of (await attempt(file.sourceFiles(), [])).slice(0, 8)) {
    await attempt(file.breakpointLocations(id, 0, 100_000), []);
    await attempt(file.breakpointAddresses(id, 20), null);
  }
  await attempt(file.types(types), []);
  for (const name of ['struct node', 'int', 'unsigned long', 'node_t']) await attempt(file.typeNamed(name), null);
  for (const name of ['total', 'nodes', 'sink']) await attempt(file.globalsNamed(name), []);
  await attempt(file.globalNamesByPrefix('', 100), []);
  await attempt(file.enumeratorNamed('RED'), null);
  await attempt(file.functionBreakpoints('opaque'), []);
  await attempt(file.symbolsByPrefix('', 100), []);
  structuredClone(await file.warnings());
  await file.close();
  return 'opened';
}

async function within<Result>(work: Promise<Result>): Promise<Result> {
  const start = performance.now();
  const result = await work;
  assert.ok(performance.now() - start < timeLimit, 'it took too long');
  return result;
}

describe('bad input', () => {
  it('a missing file, by name and reason', async () => {
    await assert.rejects(symbols.open({ kind: 'file', path: '/nowhere/kernel' }, '/nowhere/kernel'), {
      code: 'unreadable',
      file: '/nowhere/kernel',
      message: '/nowhere/kernel cannot be read: ENOENT: no such file, /nowhere/kernel.',
    });
  });

  it('an empty file', async () => {
    await assert.rejects(symbols.open({ kind: 'bytes', bytes: new Uint8Array() }, 'k'), { code: 'empty', offset: 0 });
  });

  it('a file that is not ELF', async () => {
    const bytes = new TextEncoder().encode('#!/bin/sh\n');
    await assert.rejects(symbols.open({ kind: 'bytes', bytes }, 'k'), { code: 'not-elf', offset: 0 });
  });

  it('ELF for another machine, another byte order', async () => {
    const header = new Uint8Array(64);
    header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
    header[18] = 183;
    await assert.rejects(symbols.open({ kind: 'bytes', bytes: header.slice() }, 'k'), {
      code: 'unsupported',
      offset: 18,
    });
    header[5] = 2;
    await assert.rejects(symbols.open({ kind: 'bytes', bytes: header }, 'k'), { code: 'unsupported', offset: 5 });
  });

  it('arbitrary bytes behind an ELF header', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 0, maxLength: 512 }), async (bytes) => {
        const file = new Uint8Array(20 + bytes.length);
        file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 62, 0]);
        file.set(bytes, 20);
        await within(interrogate(file));
      }),
      { seed, numRuns: 300 },
    );
  });
});

const noCompiler = missing('gcc', 'objcopy');

describe('damaged ELF files', { skip: noCompiler }, () => {
  const directory = noCompiler === false ? temporaryDirectory() : '';
  const originals: (readonly [string, () => Uint8Array])[] = [
    ['DWARF 5', () => readFileSync(compile('flow.c', join(directory, 'v5.elf'), ['-O2', '-gdwarf-5']))],
    ['DWARF 4', () => readFileSync(compile('flow.c', join(directory, 'v4.elf'), ['-O2', '-gdwarf-4']))],
    ['64-bit DWARF', () => readFileSync(compile('flow.c', join(directory, 'v64.elf'), ['-O1', '-gdwarf64']))],
    ['types', () => readFileSync(compile('shapes.c', join(directory, 'types.elf'), ['-O0', '-fdebug-types-section']))],
  ];

  for (const [title, make] of originals) {
    it(`${title}: cut off at every 64 bytes`, async () => {
      const whole = new Uint8Array(make());
      assert.equal(await interrogate(whole), 'opened');
      for (let length = 0; length < whole.length; length += 64) {
        const error = await within(interrogate(whole.slice(0, length)));
        // The section headers are at the end: without them no cut file is whole.
        assert.ok(error instanceof SymbolError, `cut at ${length}`);
        assert.ok(length === 0 ? error.code === 'empty' : error.code === 'truncated', `${length}: ${error.message}`);
        assert.ok(error.offset !== null, error.message);
      }
    });

    it(`${title}: bytes changed, seed ${campaign}`, async () => {
      const whole = new Uint8Array(make());
      const change = fc.tuple(fc.nat(whole.length - 1), fc.oneof(fc.constantFrom(0, 0x7f, 0x80, 0xff), fc.nat(255)));
      await fc.assert(
        fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 40 }), async (changes) => {
          const damaged = whole.slice();
          for (const [offset, value] of changes) damaged[offset] = value;
          await within(interrogate(damaged));
        }),
        { seed, numRuns: 150 },
      );
    });

    it(`${title}: pieces of debugging sections overwritten by others, seed ${campaign}`, async () => {
      const whole = new Uint8Array(make());
      const file = await symbols.open({ kind: 'bytes', bytes: whole }, 'whole.elf');
      const sections = file.elf.sections.filter(({ name, size }) => /^\.(debug|eh_frame)/.test(name) && size > 0);
      const piece = fc.record({
        from: fc.nat(whole.length - 1),
        section: fc.nat(sections.length - 1),
        place: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        length: fc.integer({ min: 1, max: 64 }),
      });
      await fc.assert(
        fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 10 }), async (pieces) => {
          const damaged = whole.slice();
          for (const { from, section, place, length } of pieces) {
            const target = sections[section];
            if (target === undefined) continue;
            const at = target.fileOffset + Math.floor(place * target.size);
            damaged.set(whole.subarray(from, from + Math.min(length, damaged.length - at)), at);
          }
          await within(interrogate(damaged));
        }),
        { seed, numRuns: 150 },
      );
    });
  }
});

describe('the damaged sample guest', { skip: !existsSync(guest) && 'the guest is not built' }, () => {
  it(`bytes of its headers and debugging sections changed, seed ${campaign}`, async () => {
    const whole = new Uint8Array(readFileSync(guest));
    const file = await symbols.open({ kind: 'bytes', bytes: whole }, 'whole.elf');
    const sections = file.elf.sections.filter(({ name, size }) => /^\.(debug|symtab|strtab)/.test(name) && size > 0);
    const change = fc.tuple(
      fc.nat(sections.length - 1),
      fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      fc.nat(255),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 20 }), async (changes) => {
        const damaged = whole.slice();
        for (const [index, place, value] of changes) {
          const section = sections[index];
          if (section !== undefined) damaged[section.fileOffset + Math.floor(place * section.size)] = value;
        }
        await within(interrogate(damaged));
      }),
      { seed, numRuns: 25 },
    );
  });
});
