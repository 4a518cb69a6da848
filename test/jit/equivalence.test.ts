// One semantics, two engines: the same guests interpreted and compiled, stopped at the same places, must be in the same state.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import type { EngineModules } from '../../src/core/engine.ts';
import * as L from '../../src/core/layout.ts';
import { loadEngineModules } from '../../src/entry/node-files.ts';
import { Jit, type JitStatistics } from '../../src/jit/jit.ts';
import { loadMultiboot } from '../../src/machine/boot/multiboot.ts';
import { Machine } from '../../src/machine/machine.ts';
import { campaignSeed, randomOf } from '../harness/random.ts';
import { CODE, DATA, start, stateOf } from './pair.ts';

const CODE_BYTES = 0x400;
const MEMORY = 16 << 20;
let modules: EngineModules;

/** A random program: arithmetic, memory, shifts, conditional moves and jumps, calls, string and bit instructions, in a loop. */
function randomProgram(random: (below: number) => number, instructions: number): Uint8Array {
  const out: number[] = [];
  const reg = (): number => [0, 1, 2, 3, 6, 7][random(6)] ?? 0; // RSP and RBP point to memory, R8.. are left for the loop
  const imm32 = (value: number): number[] => [
    value & 255,
    (value >> 8) & 255,
    (value >> 16) & 255,
    (value >>> 24) & 255,
  ];
  const modrm = (mod: number, r: number, rm: number): number => (mod << 6) | (r << 3) | rm;
  const memory = (r: number): number[] => [modrm(2, r, 5), ...imm32(random(0x1800) - 0x800)]; // [rbp + disp32]
  const wide = (): number[] => [[], [0x48], [0x66]][random(3)] ?? [];
  const pieces: (() => number[])[] = [
    () => [...wide(), 1 + 8 * random(8), modrm(3, reg(), reg())], // ALU r/m, r
    () => [...wide(), 3 + 8 * random(8), ...memory(reg())], // ALU r, m
    () => [...wide(), 1 + 8 * random(8), ...memory(reg())], // ALU m, r
    () => [0x48, 0x81, modrm(3, random(8), reg()), ...imm32(random(2 ** 31))],
    () => [0x48, 0xc1, modrm(3, [0, 1, 4, 5, 7][random(5)] ?? 4, reg()), random(70)],
    () => [0x48, 0xd3, modrm(3, [0, 1, 4, 5, 7][random(5)] ?? 4, reg())],
    () => [...wide(), 0x89, ...memory(reg())],
    () => [...wide(), 0x8b, ...memory(reg())],
    () => [0x88 + 2 * random(2), ...memory(reg())],
    () => [0x48, 0x0f, 0x40 + random(16), modrm(3, reg(), reg())],
    () => [0x0f, 0x90 + random(16), modrm(3, 0, random(4))],
    () => [0x48, 0x0f, 0xaf, modrm(3, reg(), reg())],
    () => [0x48, 0xf7, modrm(3, [2, 3, 4, 5][random(4)] ?? 2, reg())],
    () => [0x48, 0x0f, [0xa3, 0xab, 0xb3, 0xbb][random(4)] ?? 0xa3, modrm(3, reg(), reg())],
    () => [0x0f, 0xb6 + 8 * random(2), modrm(3, reg(), reg())],
    () => [0x48, 0x8d, modrm(1, reg(), 4), (random(4) << 6) | (reg() << 3) | reg(), random(128)],
    () => [0xff, ...memory(random(2))], // INC, DEC
    () => [0x50 + reg(), 0x58 + reg()],
    () => [0xf0, 0x48, 0x0f, 0xc1, ...memory(reg())],
    () => [0xf0, 0x48, 0x0f, 0xb1, ...memory(reg())],
    () => [0x66, 0x0f, [0xfe, 0xef, 0xd4, 0xfa, 0x62, 0xdb][random(6)] ?? 0xfe, modrm(3, random(8), random(8))],
    () => [0xf3, 0x0f, 0x6f, ...memory(random(8))],
    () => [0xf3, 0x0f, 0x7f, ...memory(random(8))],
    () => [0x70 + random(16), 3, 0x48, 0xff, modrm(3, random(2), reg())], // Jcc over one instruction
    () => [0xe8, 0, 0, 0, 0, 0x48, 0x83, 0xc4, 8], // CALL to the next instruction, its return address dropped
    () => [0x48, 0x8d, 0x3d, ...imm32(DATA + 0x8000 - CODE), 0xb9, ...imm32(random(12)), 0xf3, 0xaa], // REP STOSB
    () => [0x9c, 0x9d], // PUSHF, POPF: always left to the interpreter
    () => [0xc6, 0x05, ...imm32(DATA - CODE), random(256)], // a store near the data's start
  ];
  for (let i = 0; i < instructions; i++) out.push(...(pieces[random(pieces.length)]?.() ?? []));
  if (random(4) === 0) {
    // now and then it writes to its own code: an immediate that the loop executes later (B0+r ib)
    const at = out.length;
    out.push(0xc6, 0x05, 1, 0, 0, 0, random(256), 0xb0, random(256));
    assert.equal(out.length, at + 9);
  }
  out.push(0x49, 0xff, 0xc8); // DEC R8
  out.push(0x0f, 0x85, ...imm32(-(out.length + 6))); // JNZ start
  out.push(0xf4);
  return Uint8Array.from(out);
}
const registersFor = (random: (below: number) => number): bigint[] =>
  Array.from({ length: 16 }, (_, i) => {
    if (i === 4) return BigInt(DATA + 0x4000);
    if (i === 5) return BigInt(DATA + 0x1000);
    if (i === 8) return 400n;
    return BigInt(random(2 ** 32)) | (BigInt(random(2 ** 32)) << BigInt(32 * random(2)));
  });

describe('interpreter and JIT', () => {
  before(async () => {
    modules = await loadEngineModules();
  });

  it('agree on random programs at every random stop', () => {
    const seed = campaignSeed();
    const programs = Number(process.env['TRAPLINE_PROGRAMS'] ?? 150);
    console.log(`seed ${seed}, ${programs} programs`);
    const random = randomOf(seed, 'equivalence');
    let [ticks, compiled] = [0, 0n];
    for (let program = 0; program < programs; program++) {
      const code = randomProgram(random, 10 + random(60));
      assert.ok(code.length < CODE_BYTES * 4);
      const registers = registersFor(random);
      const [reference, derived] = [start(modules, code, 0, registers), start(modules, code, 3, registers)];
      for (let stop = 0; stop < 12; stop++) {
        const budget = 1 + random(stop < 6 ? 2000 : 20_000);
        const results = [reference, derived].map(({ engine }) => engine.run(budget, 0n));
        const where = `seed ${seed}, program ${program}, stop ${stop}: ${Buffer.from(code).toString('hex')}`;
        assert.deepEqual(results[1], results[0], where);
        assert.equal(stateOf(derived), stateOf(reference), where);
        ticks += results[1]?.used ?? 0;
        if (results[0]?.code !== L.RUN_SPENT) break;
      }
      compiled += derived.engine.compiledTicks;
    }
    const share = Number(compiled) / ticks;
    console.log(`${ticks} ticks, ${(share * 100).toFixed(1)} % of them compiled`);
    assert.ok(share > 0.5, `only ${share} ran compiled`);
  });

  it('agree on the sample guest at every threshold', () => {
    const kernel = new Uint8Array(readFileSync(join(import.meta.dirname, '../../guests/smp/smp.elf')));
    const play = (
      jit: false | number,
    ): { digest: string; output: string; share: number; jit: JitStatistics | undefined } => {
      const machine = new Machine(modules, { cpus: 4, memorySize: MEMORY, jit });
      let output = '';
      machine.onSerial = (bytes) => {
        output += Buffer.from(bytes).toString('latin1');
      };
      loadMultiboot(machine.engine, { kernel: { name: 'smp.elf', bytes: kernel } });
      const stop = machine.run(100_000_000);
      assert.deepEqual(stop, { kind: 'exit', value: 42, status: 85 });
      const share = Number(machine.engine.compiledTicks) / Number(machine.instructions);
      return { digest: machine.digest(), output, share, jit: machine.jitStatistics };
    };
    const reference = play(false);
    assert.equal(reference.share, 0);
    for (const [threshold, leastShare] of [
      [1, 0.9],
      [20, 0.9],
      [2000, 0.3],
    ] as const) {
      const { digest, output, share, jit } = play(threshold);
      console.log(`threshold ${threshold}: ${(share * 100).toFixed(1)} % compiled, ${JSON.stringify(jit)}`);
      assert.equal(digest, reference.digest);
      assert.equal(output, reference.output);
      assert.ok(share >= leastShare, `only ${share} ran compiled`);
      assert.deepEqual(jit?.failures, {});
    }
  });

  it('evicted regions are let go: the table stays small and the guest sees nothing', () => {
    const kernel = new Uint8Array(readFileSync(join(import.meta.dirname, '../../guests/smp/smp.elf')));
    const play = (maximumModules: number | undefined): { digest: string; slots: number; regions: number } => {
      const { coreBytes } = modules;
      assert.ok(coreBytes !== undefined);
      const machine = new Machine(modules, { cpus: 4, memorySize: MEMORY, jit: false });
      const { engine } = machine;
      const ownSlots = engine.table.length;
      let regions = 0;
      if (maximumModules !== undefined) {
        const jit = new Jit(coreBytes, engine, { maximumModules });
        engine.onHot = (block) => {
          jit.hot(block);
          ({ regions } = jit.statistics());
        };
        engine.hotThreshold = 20;
      }
      loadMultiboot(engine, { kernel: { name: 'smp.elf', bytes: kernel } });
      assert.deepEqual(machine.run(100_000_000), { kind: 'exit', value: 42, status: 85 });
      return { digest: machine.digest(), slots: engine.table.length - ownSlots, regions };
    };
    const [plain, crowded] = [play(undefined), play(3)];
    assert.equal(crowded.digest, plain.digest);
    assert.ok(crowded.regions > 12, `only ${crowded.regions} regions: nothing was evicted`);
    // a module may hold several regions, but what is evicted gives its slots back
    assert.ok(crowded.slots <= crowded.regions / 2, `${crowded.slots} slots are held for ${crowded.regions} regions`);
  });
});
