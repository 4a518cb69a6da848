// Floating point in both engines: what is native in a region has to be what softfloat answers in the interpreter.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as L from '../../src/core/layout.ts';
import { loadEngineModules } from '../../src/entry/node-files.ts';
import { campaignSeed, pick, type Random, randomOf } from '../harness/random.ts';
import { CODE, DATA, type Run, start, stateOf } from './pair.ts';

const OPERANDS = DATA + 0x1000;
const OPERAND_BYTES = 0x400;
const MXCSR_WORDS = OPERANDS + OPERAND_BYTES; // for LDMXCSR, four bytes each
const CONTROLS = [
  0x1f80, 0x1fa0, 0x1fa0, 0x1fa0, 0x3fa0, 0x5fa0, 0x7fa0, 0x9fa0, 0x1fe0, 0x9fe0, 0x0fa0, 0x17a0, 0x1ba0, 0x1ea0,
];

/** Numbers of both formats, most of them ordinary, some at the ends and NaNs. */
function writeOperands({ engine }: Run, random: Random): void {
  const bytes = new Uint8Array(OPERAND_BYTES + CONTROLS.length * 4);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < OPERAND_BYTES; at += 8) {
    const kind = random(10);
    const small = (random(2000) - 1000) / pick(random, [1, 3, 8, 1e3]);
    if (kind < 4) view.setFloat64(at, small, true);
    else if (kind < 8) {
      view.setFloat32(at, small, true);
      view.setFloat32(at + 4, (random(2000) - 1000) / 7, true);
    } else
      for (let i = 0; i < 8; i++)
        view.setUint8(at + i, random(4) === 0 ? pick(random, [0, 0x7f, 0x80, 0xff]) : random(256));
  }
  CONTROLS.forEach((control, i) => view.setUint32(OPERAND_BYTES + i * 4, control, true));
  engine.writePhysical(OPERANDS, bytes);
}

const PREFIXES: readonly (readonly number[])[] = [[], [0x66], [0xf3], [0xf2]];
function program(random: Random, instructions: number): Uint8Array {
  const out: number[] = [];
  const imm32 = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >> shift) & 255);
  const choose = <T>(list: readonly T[]): T => pick(random, list);
  const registers = (): number[] => [0xc0 | random(64)];
  /** [rip + disp32] of an aligned operand; the displacement is from the end of the instruction, `behind` bytes further. */
  const memory = (length: number, behind = 0): number[] => {
    const target = OPERANDS + random((OPERAND_BYTES - 16) / 16) * 16;
    return [(random(8) << 3) | 5, ...imm32(target - (CODE + out.length + length + 5 + behind))];
  };
  const operand = (length: number, behind = 0): number[] => (random(2) === 0 ? registers() : memory(length, behind));
  const any = (opcode: number): number[] => {
    const prefix = choose(PREFIXES);
    return [...prefix, 0x0f, opcode, ...operand(prefix.length + 2)];
  };
  const withImmediate = (bytes: readonly number[], immediate: number): number[] => [
    ...bytes,
    ...operand(bytes.length, 1),
    immediate,
  ];
  const pieces: (() => number[])[] = [
    () => any(choose([0x58, 0x59, 0x5c, 0x5e])),
    () => any(choose([0x58, 0x59, 0x5c, 0x5e])),
    () => any(choose([0x51, 0x5d, 0x5f, 0x5a])),
    () => withImmediate([...choose(PREFIXES), 0x0f, 0xc2], random(8)),
    () => withImmediate([0x66, 0x0f, 0x3a, 8 + random(4)], random(16)),
    () => withImmediate([0x66, 0x0f, 0x3a, 0x40 + random(2)], random(256)),
    () => [...choose([[], [0x66]]), 0x0f, 0x2e + random(2), ...registers(), 0x0f, 0x92 + random(4), 0xc0 | random(4)], // and SETcc
    () => [choose([0xf2, 0xf3]), 0x48, 0x0f, choose([0x2a, 0x2c, 0x2d]), 0xc0 | (random(4) << 3) | random(4)],
    () => [choose([0xf2, 0xf3]), 0x0f, choose([0x2a, 0x2c, 0x2d]), 0xc0 | (random(4) << 3) | random(4)],
    () => [...choose([[], [0x66], [0xf3]]), 0x0f, 0x5b, ...registers()],
    () => [...choose([[0x66], [0xf2], [0xf3]]), 0x0f, 0xe6, ...registers()],
    () => [...choose([[0x66], [0xf2]]), 0x0f, choose([0x7c, 0x7d, 0xd0]), ...registers()],
    () => [...choose([[], [0xf3]]), 0x0f, 0x52 + random(2), ...registers()],
    () => [...choose([[0xf2], [0xf3]]), 0x0f, 0x12, ...registers()],
    () => [0x0f, 0x28, ...memory(2)], // MOVAPS: fresh operands
    () => [0x0f, 0x28, ...memory(2)],
    () => [0x0f, 0xae, 0x15, ...imm32(MXCSR_WORDS + 4 * random(CONTROLS.length) - (CODE + out.length + 7))], // LDMXCSR
  ];
  for (let i = 0; i < instructions; i++) {
    // control words with unmasked exceptions end most programs early
    const piece = pieces[random(random(4) === 0 ? pieces.length : pieces.length - 1)];
    out.push(...(piece?.() ?? []));
  }
  out.push(0x49, 0xff, 0xc8); // DEC R8
  out.push(0x0f, 0x85, ...imm32(-(out.length + 6))); // JNZ start
  out.push(0xf4);
  return Uint8Array.from(out);
}

describe('floating point, interpreted and compiled', () => {
  it('random programs end every run in the same state, MXCSR included', async (t) => {
    const modules = await loadEngineModules();
    const seed = campaignSeed(0xf10a7);
    const random = randomOf(seed, 'float');
    let [ticks, compiled] = [0, 0n];
    for (let number = 0; number < 60; number++) {
      const code = program(random, 6 + random(40));
      const general = Array.from({ length: 16 }, (_, i) => (i === 8 ? 200n : BigInt(random(2 ** 32))));
      const [operands, control] = [random(2 ** 31), CONTROLS[random(10)] ?? 0x1f80];
      const [reference, derived] = [start(modules, code, 0, general), start(modules, code, 3, general)];
      for (const run of [reference, derived]) {
        writeOperands(run, randomOf(operands));
        run.engine.vcpu().mxcsr = control;
      }
      for (let stop = 0; stop < 8; stop++) {
        const budget = 1 + random(stop < 4 ? 400 : 4000);
        const results = [reference, derived].map(({ engine }) => engine.run(budget, 0n));
        const where = `seed ${seed}, program ${number}, stop ${stop}: ${Buffer.from(code).toString('hex')}`;
        assert.deepEqual(results[1], results[0], where);
        assert.equal(stateOf(derived), stateOf(reference), where);
        ticks += results[1]?.used ?? 0;
        if (results[0]?.code !== L.RUN_SPENT) break;
      }
      compiled += derived.engine.compiledTicks;
    }
    t.diagnostic(`seed ${seed}: ${ticks} ticks, ${((Number(compiled) / ticks) * 100).toFixed(1)} % of them compiled`);
    assert.ok(compiled > 0n);
  });
});
