// Chains of blocks longer than a region may be, whose end jumps back into the middle: the block that the region took last must
// still make an entry of the one that it jumps to.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { loadEngineModules } from '../../src/entry/node-files.ts';
import { imm32 } from './fuzz-program.ts';
import { DATA, start, stateOf } from './pair.ts';

const BLOCKS = 160;
const MIDDLE = 5;
/** inc rax; jmp on */
const LINK = [0x48, 0xff, 0xc0, 0xe9, 0, 0, 0, 0];

/** A chain that begins again at its end; the link of this number jumps back into the middle three times out of four. */
function program(jumpsBack: number): Uint8Array {
  const code = new Uint8Array(0x1000);
  const test = [0x41, 0xff, 0xc0, 0x41, 0xf6, 0xc0, 3]; // inc r8d; test r8b, 3
  const place = (link: number): number => link * LINK.length + (link > jumpsBack ? test.length + 6 : 0);
  for (let link = 0; link < BLOCKS; link++) {
    let at = place(link);
    if (link === jumpsBack) {
      code.set([...test, 0x0f, 0x85, ...imm32(place(MIDDLE) - (at + test.length + 6))], at); // jnz middle
      at += test.length + 6;
    }
    code.set([...LINK.slice(0, 4), ...imm32(place((link + 1) % BLOCKS) - (at + LINK.length))], at);
  }
  return code;
}

it('the last block of a full region jumps back to a block that nothing else jumps back to', async () => {
  const modules = await loadEngineModules();
  const registers = Array.from({ length: 16 }, (_, i) => (i === 4 ? BigInt(DATA + 0x4000) : 0n));
  for (let jumpsBack = 140; jumpsBack < BLOCKS; jumpsBack++) {
    const [reference, derived] = [0, 3].map((threshold) => start(modules, program(jumpsBack), threshold, registers));
    assert.ok(reference !== undefined && derived !== undefined);
    let ticks = 0;
    for (let stop = 0; stop < 10; stop++) {
      const budget = 3777 + 13 * stop;
      const expected: { readonly code: number; readonly used: number } = reference.engine.run(budget, 0n);
      ticks += budget;
      assert.deepEqual(derived.engine.run(budget, 0n), expected);
      assert.equal(stateOf(derived), stateOf(reference), `link ${jumpsBack}, stop ${stop}`);
    }
    assert.deepEqual(derived.jit?.statistics().failures, {}, 'every region could be built');
    const share = Number(derived.engine.compiledTicks) / ticks;
    assert.ok(share > 0.5, `only ${share} ran compiled`);
  }
});
