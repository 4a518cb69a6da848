// Regions over two pages: a loop in one calls a function in the other, whose code it changes now and then.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { loadEngineModules } from '../../src/entry/node-files.ts';
import { imm32 } from './fuzz-program.ts';
import { CODE, DATA, start, stateOf } from './pair.ts';

const FUNCTION = 0x10;
const LOOP = 0x1000;
const DIRECT = [0xe8, 0, 0, 0, 0];
const COMPUTED = [0x41, 0xff, 0xd1]; // call r9

function program(calls: readonly (readonly number[])[]): Uint8Array {
  const code = new Uint8Array(0x2000);
  code.set([0xe9, ...imm32(LOOP - 5)]);
  code.set([0xb0, 1, 0x48, 0x01, 0xc3, 0xc3], FUNCTION); // mov al, 1; add rbx, rax; ret
  const loop = [0x41, 0xb9, ...imm32(CODE + FUNCTION)]; // mov r9d, function
  for (const call of calls) {
    const end = LOOP + loop.length + call.length;
    loop.push(...(call === DIRECT ? [0xe8, ...imm32(FUNCTION - end)] : call));
  }
  loop.push(0x49, 0xff, 0xc8, 0x41, 0xf6, 0xc0, 0x1f); // dec r8; test r8b, 31
  loop.push(0x0f, 0x85, ...imm32(-(loop.length + 6))); // jnz loop
  loop.push(0x44, 0x88, 0x04, 0x25, ...imm32(CODE + FUNCTION + 1)); // mov [function + 1], r8b
  loop.push(0x49, 0x83, 0xe8, 3, 0xe9, ...imm32(-(loop.length + 9))); // sub r8, 3; jmp loop
  code.set(loop, LOOP);
  return code;
}

for (const [name, calls] of [
  ['a call of another page whose code was changed runs the new code', [DIRECT]],
  ['a computed call of another page whose code was changed runs the new code', [COMPUTED, DIRECT]],
] as const) {
  it(name, async () => {
    const modules = await loadEngineModules();
    const registers = Array.from({ length: 16 }, (_, i) => (i === 4 ? BigInt(DATA + 0x4000) : 0n));
    const [reference, derived] = [0, 3].map((threshold) => start(modules, program(calls), threshold, registers));
    assert.ok(reference !== undefined && derived !== undefined);
    let ticks = 0;
    for (let stop = 0; stop < 100; stop++) {
      const budget = 777 + 13 * stop;
      const results: unknown[] = [reference, derived].map(({ engine }) => engine.run(budget, 0n));
      ticks += budget;
      assert.deepEqual(results[1], results[0]);
      assert.equal(stateOf(derived), stateOf(reference), `stop ${stop}`);
    }
    const share = Number(derived.engine.compiledTicks) / ticks;
    assert.ok(share > 0.5, `only ${share} ran compiled`);
  });
}
