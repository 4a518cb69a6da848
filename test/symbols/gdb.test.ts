/**
 * gdb is the judge: frames, inlined frames, lines, registers, variables, types, globals and breakpoint addresses of the
 * symbol reader must be those of gdb. Nothing is run: gdb looks at core files that are made up for the purpose.
 */

import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { dwarfRegisters, TypeTable, type SymbolFile } from '../../src/symbols/index.ts';
import { makeCoreFile } from './core-file.ts';
import { walkFrames, type Contents, type WalkedFrame } from './frames.ts';
import { campaignSeed } from '../harness/random.ts';
import { makeStates } from './states.ts';
import { askGdb, compile, missing, openSymbols, temporaryDirectory } from './tools.ts';

const guest = fileURLToPath(new URL('../../guests/smp/smp.elf', import.meta.url));
const skip = missing('gdb', 'gcc');
const seed = campaignSeed(20_240_229);
const frameLimit = 8;

interface JudgedFrame {
  readonly pc: string;
  readonly name: string | null;
  readonly inlined: boolean;
  readonly file: string | null;
  readonly line: number;
  readonly registers: Readonly<Record<string, string | null>>;
  readonly variables: readonly { readonly name: string; readonly argument: boolean; readonly value: Contents }[];
}

/** What was compared, so that a test that compares nothing is noticed. */
interface Tally {
  frames: number;
  inlined: number;
  variables: number;
  known: number;
  notRecoverable: number;
}

describe('judged by gdb', { skip }, () => {
  const directory = skip === false ? temporaryDirectory() : '';

  const variants: readonly (readonly string[])[] = [
    ['-O0', '-gdwarf-5'],
    ['-O0', '-gdwarf-4', '-fomit-frame-pointer'],
    ['-O1', '-gdwarf-5'],
    ['-O2', '-gdwarf-5'],
    ['-O2', '-gdwarf-4'],
    ['-O2', '-gdwarf-5', '-gdwarf64'],
    ['-O2', '-gdwarf-4', '-fno-omit-frame-pointer', '-fno-asynchronous-unwind-tables'],
    ['-Os', '-gdwarf-5'],
    ['-O3', '-gdwarf-5'],
    ['-m32', '-O0', '-gdwarf-5'],
    ['-m32', '-O2', '-gdwarf-4'],
  ];
  for (const [index, options] of variants.entries()) {
    it(`frames and variables of flow.c, gcc ${options.join(' ')}`, async () => {
      const path = compile('flow.c', join(directory, `flow${index}.elf`), options);
      const tally = await compareStates(path, directory, 1);
      assert.ok(
        tally.frames > 300 && tally.inlined > 10 && tally.variables > 500 && tally.known > 200,
        JSON.stringify(tally),
      );
    });
  }

  it('frames and variables of the sample guest', { skip: !existsSync(guest) && 'the guest is not built' }, async () => {
    const tally = await compareStates(guest, directory, 3);
    assert.ok(tally.frames > 1000 && tally.inlined > 50 && tally.known > 300, JSON.stringify(tally));
  });
});

async function compareStates(path: string, directory: string, stride: number): Promise<Tally> {
  const file = await openSymbols(path);
  const types = new TypeTable(file);
  const machine = dwarfRegisters(file.elf.machine);
  const pcs = await samplePcs(file, stride);
  const { states, memory, readMemory } = await makeStates(file, pcs, seed);
  const core = join(directory, 'core');
  writeFileSync(
    core,
    makeCoreFile(
      file.elf.machine,
      states.map(({ thread }) => thread),
      memory,
    ),
  );
  const judged = askGdb('threads', [], [path, core], directory) as Record<string, readonly JudgedFrame[]>;
  const tally: Tally = { frames: 0, inlined: 0, variables: 0, known: 0, notRecoverable: 0 };
  const differences: string[] = [];
  const discriminated = new Set(
    (await file.lineTable()).filter(({ discriminator }) => discriminator !== 0).map(({ line }) => `${line}`),
  );
  for (const { thread, registers } of states) {
    const ours = await walkFrames(file, types, registers, readMemory, frameLimit);
    const theirs = judged[String(thread.id)] ?? [];
    compareFrames(file, ours, theirs, discriminated, tally, (what) => {
      differences.push(`state ${thread.id}, pc 0x${registers.get(machine.pc)?.toString(16)}: ${what}`);
    });
  }
  assert.deepEqual(differences.slice(0, 20), [], `${differences.length} differences in ${path}, seed ${seed}`);
  console.log(`${path.split('/').pop()}: ${pcs.length} states, seed ${seed}, ${JSON.stringify(tally)}`);
  return tally;
}

/** Places all over the code: every row of the line table and every `stride`th byte offset that a row does not give. */
async function samplePcs(file: SymbolFile, stride: number): Promise<readonly bigint[]> {
  const found = new Set<bigint>();
  const rows = (await file.lineTable()).filter(({ endSequence }) => !endSequence);
  for (const [index, { address }] of rows.entries()) {
    if (index % stride === 0 && (await file.functionAt(address)) !== null) found.add(address);
  }
  // Locations also begin and end between rows: behind calls.
  for (const { ranges } of await file.functions()) {
    for (const { start, end } of ranges) {
      for (let pc = start + 2n; pc < end; pc += BigInt(stride)) if ((await file.callSiteAt(pc)) !== null) found.add(pc);
    }
  }
  return [...found];
}

function compareFrames(
  file: SymbolFile,
  ours: readonly WalkedFrame[],
  theirs: readonly JudgedFrame[],
  discriminated: ReadonlySet<string>,
  tally: Tally,
  differ: (what: string) => void,
): void {
  const machine = dwarfRegisters(file.elf.machine);
  let physical = -1;
  for (let index = 0; index < Math.max(ours.length, theirs.length); index++) {
    const mine = ours[index];
    const judge = theirs[index];
    if (mine === undefined || judge === undefined) {
      // gdb guesses on without call-frame information and stops where a stack looks odd; neither is ours to copy.
      return;
    }
    tally.frames++;
    if (mine.inlined) tally.inlined++;
    if (!theirs[index - 1]?.inlined) physical++;
    const at = (what: string): void => differ(`frame ${index} (${judge.name}): ${what}`);
    if (String(mine.pc) !== judge.pc) return at(`pc is ${mine.pc}, gdb has ${judge.pc}`);
    if (judge.name !== null && mine.name !== judge.name) return at(`name is ${mine.name}, gdb has ${judge.name}`);
    if (mine.inlined !== judge.inlined) return at(`inlined is ${mine.inlined}, gdb has ${judge.inlined}`);
    // gdb drops rows with a discriminator whose line is that of the row before, and then shows the line before those.
    const excused = discriminated.has(`${mine.line}`) || mine.calledSignalFrame;
    if (mine.line !== judge.line && !excused) at(`line is ${mine.line}, gdb has ${judge.line}`);
    if (judge.file !== null && mine.file !== null && !mine.file.endsWith(judge.file.replace(/^(\.\/)+/, ''))) {
      at(`file is ${mine.file}, gdb has ${judge.file}`);
    }
    for (const [name, value] of Object.entries(judge.registers)) {
      const number = machine.number(name) ?? -1;
      const known = mine.registers.get(number);
      // gdb shows caller-saved registers of outer frames as if calls kept them; we do not know them.
      if (known !== undefined && value !== null && String(known) !== value) at(`${name} is ${known}, gdb has ${value}`);
      if (known === undefined && (physical === 0 || machine.calleeSaved.has(number)) && value !== null) {
        at(`${name} is not known, gdb has ${value}`);
      }
    }
    compareVariables(mine, judge, physical, tally, at);
  }
}

function compareVariables(
  mine: WalkedFrame,
  judge: JudgedFrame,
  physical: number,
  tally: Tally,
  at: (what: string) => void,
): void {
  const named = <Item extends { readonly name: string }>(list: readonly Item[], name: string): readonly Item[] =>
    list.filter((variable) => variable.name === name);
  for (const name of new Set([...mine.variables, ...judge.variables].map((variable) => variable.name))) {
    const ours = named(mine.variables, name);
    let theirs = named(judge.variables, name);
    // gdb shows a variable of an inlined function a second time, as optimised out, when gcc put it into a block.
    if (theirs.length > ours.length) theirs = theirs.filter(({ value }) => !isGone(value));
    if (ours.length > theirs.length) theirs = named(judge.variables, name);
    if (ours.length > theirs.length || (theirs.length > ours.length && !mine.inlined)) {
      at(`${name}: ${ours.length} variables, gdb has ${theirs.length}`);
    }
    for (const [index, { value, argument }] of ours.entries()) {
      tally.variables++;
      const expected = theirs[index];
      if (expected === undefined) continue;
      if (argument !== expected.argument) at(`${name}: argument is ${argument}, gdb has ${expected.argument}`);
      const verdict = compareContents(value, expected.value, physical);
      if (verdict === 'known') tally.known++;
      else if (verdict === 'notRecoverable') tally.notRecoverable++;
      else if (verdict === 'different') {
        at(`${name} is ${JSON.stringify(value)}, gdb has ${JSON.stringify(expected.value)}`);
      }
    }
  }
}

function isGone(value: Contents): boolean {
  return typeof value === 'string' ? value === 'optimized out' : value.every(([, part]) => isGone(part));
}

type Verdict = 'known' | 'unknown' | 'notRecoverable' | 'different';

function compareContents(ours: Contents, theirs: Contents, physical: number): Verdict {
  if (typeof ours === 'string' && ours.startsWith('unavailable')) {
    // What a call may have overwritten gdb shows with its new value.
    if (ours.includes('caller register')) return 'notRecoverable';
    if (physical > 0 && /register/i.test(ours)) return 'notRecoverable';
    return theirs === 'unavailable' ? 'unknown' : 'different';
  }
  if (typeof ours === 'string' || typeof theirs === 'string') {
    if (ours === theirs) return ours === 'optimized out' || ours === 'other' ? 'unknown' : 'known';
    // A struct without any known part.
    if (ours === 'optimized out' && typeof theirs !== 'string') {
      return theirs.every(([, part]) => compareContents('optimized out', part, physical) !== 'different')
        ? 'unknown'
        : 'different';
    }
    if (theirs === 'optimized out' && typeof ours !== 'string') {
      return ours.every(([, part]) => compareContents(part, 'optimized out', physical) !== 'different')
        ? 'unknown'
        : 'different';
    }
    return ours === 'other' || theirs === 'other' || theirs === 'deep' ? 'unknown' : 'different';
  }
  if (ours.length !== theirs.length) return 'different';
  const verdicts = ours.map(([name, value], index): Verdict => {
    const [otherName, other] = theirs[index] ?? ['', ''];
    return name === otherName ? compareContents(value, other, physical) : 'different';
  });
  if (verdicts.includes('different')) return 'different';
  if (verdicts.includes('notRecoverable')) return 'notRecoverable';
  return verdicts.includes('known') ? 'known' : 'unknown';
}
