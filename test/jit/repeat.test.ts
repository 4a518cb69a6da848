// REP MOVS and REP STOS in both engines against a model that moves one element a tick: many iterations at once must look like single
// ones at every stop, whatever overlaps, is mapped twice, runs backward or wraps.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Engine, EngineModules } from '../../src/core/engine.ts';
import * as L from '../../src/core/layout.ts';
import { loadEngineModules } from '../../src/entry/node-files.ts';
import { campaignSeed, type Random, randomOf } from '../harness/random.ts';
import { CODE, DATA, type Run, start } from './pair.ts';

/** Linear addresses of the same RAM as DATA, and the last page below 4 GiB, whose 32-bit addresses wrap to page 0. */
const ALIAS = 0x800000;
const LAST_PAGE = 0xfffff000;
const LAST_PAGE_IN_RAM = 0x5ff000;
const SPAN = 0x6000;
const FLAG_DF = 0x400n;
const REP = 0xf3;
const HLT = 0xf4;

function physical(linear: number): number {
  if (linear >= LAST_PAGE) return linear - LAST_PAGE + LAST_PAGE_IN_RAM;
  return linear >= ALIAS && linear < ALIAS + 0x200000 ? linear - ALIAS + DATA : linear;
}
interface Case {
  readonly moves: boolean;
  readonly size: 1 | 2 | 4 | 8;
  readonly backward: boolean;
  readonly address32: boolean;
  readonly count: number;
  readonly from: number;
  readonly to: number;
  readonly value: bigint;
}
function randomCase(below: Random): Case {
  const size = ([1, 2, 4, 8] as const)[below(4)] ?? 1;
  const count = [below(40), 32 + below(200), 32 + below(3000)][below(3)] ?? 0;
  const backward = below(3) === 0;
  const length = count * size;
  const address32 = below(3) === 0;
  const place = (near: number): number => {
    // an element that reaches over 4 GiB would not wrap: only offsets do
    if (address32 && length < 0x1000 && below(3) === 0) return (backward ? 0 : LAST_PAGE + 0x800) + size * below(0xe0);
    const base = below(3) === 0 ? ALIAS : DATA;
    const at = below(2) === 0 ? near + below(40) - 20 : below(SPAN);
    return base + 0x10000 + at;
  };
  const near = below(SPAN);
  const value = below(3) === 0 ? 0n : BigInt(below(2 ** 31)) * 0x1_0203_0405n;
  return { moves: below(2) === 0, size, backward, address32, count, from: place(near), to: place(near), value };
}
const codeOf = ({ moves, size, address32 }: Case): Uint8Array =>
  Uint8Array.from([
    ...(address32 ? [0x67] : []),
    REP,
    ...(size === 2 ? [0x66] : []),
    ...(size === 8 ? [0x48] : []),
    (moves ? 0xa4 : 0xaa) + (size === 1 ? 0 : 1),
    HLT,
  ]);

/** One iteration, as the manual has it (SDM 2B, MOVS and STOS): what the model is made of. */
function iterate(ram: Uint8Array, { moves, size, backward, from, to, value, address32 }: Case, i: number): void {
  const step = (backward ? -size : size) * i;
  const wrap = (at: number): number => (address32 ? at >>> 0 : at);
  const element = Array.from({ length: size }, (_, k) =>
    moves ? (ram[physical(wrap(from + step + k))] ?? 0) : Number((value >> BigInt(8 * k)) & 0xffn),
  );
  element.forEach((byte, k) => {
    ram[physical(wrap(to + step + k))] = byte;
  });
}
function prepared(modules: EngineModules, made: Case, threshold: number): Run {
  const registers = Array.from({ length: 16 }, () => 0n);
  [registers[0], registers[1], registers[6], registers[7]] = [
    made.value,
    BigInt(made.count),
    BigInt(made.from),
    BigInt(made.to),
  ];
  const run = start(modules, codeOf(made), threshold, registers, { jit: { batch: 1 } });
  const { engine } = run;
  engine.rawView.setBigUint64(engine.ram + 0x3000 + 8 * (ALIAS >> 21), BigInt(DATA) | 0x83n, true);
  engine.rawView.setBigUint64(engine.ram + 0x2000 + 8 * 3, 0x3003n, true);
  engine.rawView.setBigUint64(engine.ram + 0x3000 + 8 * 511, 0x400083n, true);
  if (made.backward) engine.vcpu().rflags |= FLAG_DF;
  return run;
}
const PARTS = [
  [0, 0x1000],
  [DATA + 0x8000, SPAN + 0x10000],
  [LAST_PAGE_IN_RAM, 0x1000],
] as const;
function compare(engine: Engine, ram: Uint8Array, made: Case, done: number, what: string): void {
  const distance = BigInt((made.backward ? -made.size : made.size) * done);
  const index = (first: number): bigint => BigInt.asUintN(made.address32 ? 32 : 64, BigInt(first) + distance);
  assert.equal(engine.vcpu().rcx, BigInt(made.count - done), `RCX, ${what}`);
  assert.equal(engine.vcpu().rdi, index(made.to), `RDI, ${what}`);
  assert.equal(engine.vcpu().rsi, made.moves ? index(made.from) : BigInt(made.from), `RSI, ${what}`);
  for (const [at, length] of PARTS) {
    const same = Buffer.compare(engine.ramView(at, length), ram.subarray(at, at + length)) === 0;
    assert.ok(same, `RAM from 0x${at.toString(16)} on, ${what}`);
  }
}

describe('long REP MOVS and REP STOS', async () => {
  const modules = await loadEngineModules();
  const seed = campaignSeed();
  for (const [name, threshold] of [
    ['interpreter', 0],
    ['JIT', 1],
  ] as const) {
    it(`${name}: each stop is one that single iterations could have made (seed ${seed})`, () => {
      const below = randomOf(seed, 'repeat');
      for (let i = 0; i < 400; i++) {
        const made = randomCase(below);
        const { engine } = prepared(modules, made, threshold);
        for (const [at, length] of PARTS)
          for (let k = 0; k < length; k += 3) engine.ramView(at, length)[k] = below(256);
        const ram = engine.ramView(0, 16 << 20).slice();
        let done = 0;
        while (done < made.count) {
          const budget = Math.min(below(2) === 0 ? 1 + below(50) : 1 + below(3000), made.count - done);
          assert.equal(engine.run(budget, 0n).used, budget);
          for (const end = done + budget; done < end; done++) iterate(ram, made, done);
          compare(
            engine,
            ram,
            made,
            done,
            `after ${done} of case ${i} of seed ${seed}: ${JSON.stringify(made, (_, v: unknown) => (typeof v === 'bigint' ? v.toString(16) : v))}`,
          );
        }
        const atEnd = made.count > 0 && engine.vcpu().rip === BigInt(CODE + codeOf(made).length - 1);
        assert.ok(made.count === 0 || atEnd, 'RIP is behind the instruction');
      }
    });
  }
  it('they take few steps of the interpreter', () => {
    const made: Case = {
      moves: true,
      size: 8,
      backward: false,
      address32: false,
      count: 4096,
      from: DATA,
      to: DATA + 0x8000,
      value: 0n,
    };
    const { engine } = prepared(modules, made, 0);
    engine.run(made.count, 0n);
    assert.equal(engine.vcpu().rcx, 0n);
    const block = engine.rawView.getUint32(L.CONFIG_ARENA, true);
    const executions = engine.rawView.getUint32(block + L.B_HOT, true);
    assert.ok(executions >= 8 && executions <= 16, `${executions} executions for eight pages`);
  });
});
