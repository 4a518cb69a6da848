// Blocks that always leave a region early: a long one is worth it for what stands behind, a short one is not entered at all.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadEngineModules } from '../../src/entry/node-files.ts';
import { DATA, start, stateOf } from './pair.ts';

const RDTSC = [0x0f, 0x31];
const INC_RBX = [0x48, 0xff, 0xc3];
const TICKS = 50_000;

/** RDTSC, increments, a jump back to the start. */
function loop(increments: number): Uint8Array {
  const body = [...RDTSC, ...Array.from({ length: increments }, () => INC_RBX).flat()];
  return Uint8Array.from([...body, 0xeb, 256 - (body.length + 2)]);
}

describe('a block that always leaves in front of its first instruction', async () => {
  const modules = await loadEngineModules();
  const registers = Array.from({ length: 16 }, (_, i) => (i === 4 ? BigInt(DATA) : 0n));
  const shareOf = (increments: number): number => {
    const [reference, derived] = [0, 3].map((threshold) => start(modules, loop(increments), threshold, registers));
    assert.ok(reference !== undefined && derived !== undefined);
    for (const { engine } of [reference, derived]) engine.run(TICKS, 0n);
    assert.equal(stateOf(derived), stateOf(reference));
    return Number(derived.engine.compiledTicks) / TICKS;
  };
  it('is compiled behind that instruction when it is long', () => {
    assert.ok(shareOf(30) > 0.9);
  });
  it('is interpreted when it is short', () => {
    assert.equal(shareOf(4), 0);
  });
});
