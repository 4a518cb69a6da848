// A guest that rewrites its code for ever: what was compiled for the old code goes, and the host does not grow. Settings:
// TRAPLINE_CHURN_MINUTES (test/full sets 15; else a number of instructions ends the run).
import assert from 'node:assert/strict';
import { env, memoryUsage } from 'node:process';
import { before, describe, it } from 'node:test';
import type { EngineModules } from '../../src/core/engine.ts';
import * as L from '../../src/core/layout.ts';
import { loadEngineModules } from '../../src/entry/node-files.ts';
import { Code } from '../core/code.ts';
import { CODE, DATA, type Run, start, type StartOptions, stateOf } from './pair.ts';

const MINUTES = Number(env['TRAPLINE_CHURN_MINUTES'] ?? 0);
const INSTRUCTIONS = 12_000_000;
const SLICE = 1_000_000;
/** Slices after which the host's memory is as large as it is to become. */
const WARM_UP = 6;
const THRESHOLD = 3;
const MODULES = 8;
/** So small that it is flushed many times. */
const ARENA = 1 << 20;
/** The functions that are rewritten, some on one page with others. */
const FUNCTIONS = 0x400000;
const FUNCTIONS_END = 0x480000;
const STRIDE = 0x410;
const ROUNDS = 200;
const MIB = 2 ** 20;

/**
 * for (n = 0;; n++) { write `do { eax = n; rsi += rax; } while (--ecx); return` to the next place; ecx = 200; call it; }
 * RBX is n, RDI the place.
 */
function guest(): Uint8Array {
  const code = new Code(CODE);
  code.at('again').raw('bf').value(FUNCTIONS, 4); // mov edi, FUNCTIONS
  code.at('next').raw('c607b8 895f01'); // mov byte [rdi], 0xb8; mov [rdi+1], ebx: mov eax, n
  code.raw('49b8').value(0xc3f475c9ffc60148n, 8); // mov r8, (add rsi, rax; dec ecx; jnz -12; ret)
  code.raw('4c894705 b9').value(ROUNDS, 4); // mov [rdi+5], r8; mov ecx, ROUNDS
  code.raw('ffd7 ffc3 4881c7').value(STRIDE, 4); // call rdi; inc ebx; add rdi, STRIDE
  code.raw('4881ff').value(FUNCTIONS_END, 4); // cmp rdi, FUNCTIONS_END
  code.relative('72', 'next', 1).relative('eb', 'again', 1); // jb next; jmp again
  return code.finish();
}
const registers = Array.from({ length: 16 }, (_, i) => (i === 4 ? BigInt(DATA + 0x4000) : 0n));

let modules: EngineModules;
before(async () => {
  modules = await loadEngineModules();
});
const churn = (threshold: number, jit: StartOptions['jit'] = {}): Run =>
  start(modules, guest(), threshold, registers, { engine: { arenaSize: ARENA }, jit });

/** What the guest has summed up follows from how many functions it has written. */
function checkSum({ engine }: Run): void {
  const n = engine.vcpu().regs(3);
  const sum = engine.vcpu().regs(6);
  const whole = (BigInt(ROUNDS) * n * (n - 1n)) / 2n;
  // RBX counts a function when it has returned, and is the number that the one that runs adds
  assert.ok(sum >= whole && sum <= whole + BigInt(ROUNDS) * n, `after ${n} functions the sum is ${sum}`);
}

describe('code that changes for ever', () => {
  it('is evicted: modules, table and memory stay bounded, and the sums are right', (t) => {
    const run = churn(THRESHOLD, { maximumModules: MODULES, batch: 2 });
    const { engine, jit } = run;
    assert.ok(jit !== undefined);
    const ownSlots = engine.table.length;
    const end = Date.now() + MINUTES * 60_000;
    const goesOn = (ticks: number): boolean => (MINUTES > 0 ? Date.now() < end : ticks < INSTRUCTIONS);
    let [ticks, most, slices, generations] = [0, 0, 0, 0];
    let settled = 0;
    let generation = 0;
    for (; goesOn(ticks); slices++) {
      const result = engine.run(SLICE, 0n);
      assert.deepEqual(result, { code: L.RUN_SPENT, used: SLICE });
      ticks += result.used;
      const now = engine.rawView.getUint32(L.CODE_GENERATION, true);
      if (now !== generation) generations++;
      generation = now;
      const { modules: live } = jit.statistics();
      assert.ok(live <= MODULES, `${live} modules are alive`);
      // two regions a module, and those of the module that is being made
      const slots = engine.table.length - ownSlots;
      assert.ok(slots <= 2 * (MODULES + 1), `${slots} slots of the table`);
      checkSum(run);
      const { rss } = memoryUsage();
      if (slices === WARM_UP) settled = rss;
      most = Math.max(most, rss);
    }
    const { regions, failures } = jit.statistics();
    const share = Number(engine.compiledTicks) / ticks;
    t.diagnostic(
      `${ticks} ticks, ${(share * 100).toFixed(1)} % compiled, ${regions} regions, ${generations} flushes, ` +
        `RSS ${Math.round(settled / MIB)} to ${Math.round(most / MIB)} MiB`,
    );
    assert.deepEqual(failures, {});
    assert.ok(regions > 20 * MODULES, `only ${regions} regions: nothing was evicted`);
    assert.ok(generations > 1, 'the arena was never flushed');
    assert.ok(most < settled + 300 * MIB, `RSS grew from ${settled} to ${most}`);
  });

  it('is the same to the guest as when it is interpreted', () => {
    const [interpreted, compiled] = [churn(0), churn(THRESHOLD, { maximumModules: MODULES, batch: 2 })];
    for (const ticks of [999_983, 7, 2_000_003]) {
      for (const { engine } of [interpreted, compiled]) engine.run(ticks, 0n);
      assert.equal(stateOf(compiled), stateOf(interpreted));
    }
    assert.ok(compiled.engine.compiledTicks > 0n);
  });
});

describe('a module that V8 refuses', () => {
  const DAMAGED = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 0xff); // no such section
  const play = (refuse: (attempt: number) => boolean, damage: () => WebAssembly.Module) => {
    let attempts = 0;
    const reasons: string[] = [];
    const run = churn(THRESHOLD, {
      batch: 1,
      compile: (bytes) => (refuse(attempts++) ? damage() : new WebAssembly.Module(bytes)),
      refused: (reason) => reasons.push(reason),
    });
    const reference = churn(0);
    for (const { engine } of [run, reference]) engine.run(3_000_000, 0n);
    assert.equal(stateOf(run), stateOf(reference));
    assert.ok(run.jit !== undefined);
    return { attempts, reasons, compiled: run.engine.compiledTicks, statistics: run.jit.statistics() };
  };

  it('is reported once, and its blocks stay interpreted while others are compiled', () => {
    const { reasons, compiled, statistics } = play(
      (attempt) => attempt % 3 === 0,
      () => new WebAssembly.Module(DAMAGED),
    );
    assert.equal(reasons.length, 1, reasons.join('\n'));
    const [[reason, count] = ['', 0], ...others] = Object.entries(statistics.failures);
    assert.equal(reason, reasons[0]);
    assert.ok(count > 1);
    assert.deepEqual(others, []);
    assert.ok(compiled > 0n);
  });

  it('is not tried again: with every module refused there are no more attempts than blocks', () => {
    const { attempts, compiled, statistics } = play(
      () => true,
      () => new WebAssembly.Module(DAMAGED),
    );
    assert.equal(compiled, 0n);
    assert.equal(statistics.modules, 0);
    // the loop of each function that was written, and the few blocks of the writer
    assert.ok(attempts < 3_000_000 / (3 * ROUNDS), `${attempts} attempts`);
  });

  it('for want of memory is no refusal: older modules go, and its blocks are compiled later', () => {
    const { reasons, compiled, statistics } = play(
      (attempt) => attempt === 3,
      () => {
        throw new RangeError('WebAssembly.Module(): Out of memory');
      },
    );
    assert.deepEqual(reasons, ['WebAssembly.Module(): Out of memory']);
    assert.deepEqual(statistics.failures, { 'WebAssembly.Module(): Out of memory': 1 });
    assert.ok(compiled > 1_000_000n, `${compiled} compiled`);
  });
});
