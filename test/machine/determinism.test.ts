// Same inputs, same run, bit for bit: whatever the host does in between (DESIGN 3). The sample guest runs once undisturbed;
// then again and again disturbed. Digest, clock and output must not differ.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as L from '../../src/core/layout.ts';
import type { EngineModules } from '../../src/core/engine.ts';
import { loadEngineModules } from '../../src/entry/node-files.ts';
import { loadMultiboot } from '../../src/machine/boot/multiboot.ts';
import { Machine } from '../../src/machine/machine.ts';
import { assertSameStory, play, randomDisturbance, Spectator, type Random, type Sights } from './disturbances.ts';
import { campaignSeed, randomOf } from '../harness/random.ts';
import { drawsOfReusedRecords } from './reused-records.ts';

const OPTIONS = { cpus: 4, memorySize: 32 << 20 };
const COURSE = { checkpoint: 1_000_000, limit: 2_000_000_000 };
const kernel = new Uint8Array(readFileSync(new URL('../../guests/smp/smp.elf', import.meta.url)));

function boot(modules: EngineModules): Machine {
  const machine = new Machine(modules, OPTIONS);
  loadMultiboot(machine.engine, { kernel: { name: 'smp.elf', bytes: kernel } });
  return machine;
}

/** Places of smp.elf's map: its text; 8 bytes of locks and list, 4 bytes of the processors' own data. */
function sights(_machine: Machine, random: Random): Sights {
  return {
    breakpoints: Array.from({ length: 300 }, () => BigInt(0x100000 + random(0x4000))),
    watched: [BigInt((random(2) === 0 ? 0x106000 : 0x189040) + 8 * random(8)), BigInt(0x153000 + 4 * random(0x158))],
  };
}

test('slices, flushes, snapshots and an observer leave no trace', { timeout: 600_000 }, async () => {
  const modules = await loadEngineModules();
  const reference = play(boot(modules), COURSE);
  console.log(`undisturbed: ${reference.digests.at(-1)}, ${JSON.stringify(reference.end)}`);
  assert.equal(reference.end.kind, 'exit');
  const seed = campaignSeed();
  console.log(`seed ${seed}`);
  const rounds = Number(process.env['ROUNDS'] ?? 2);
  const sources = [drawsOfReusedRecords(), ...Array.from({ length: rounds }, (_, round) => randomOf(seed, round))];
  for (const [round, random] of sources.entries()) {
    const spectator = new Spectator();
    const story = play(boot(modules), {
      ...COURSE,
      slice: () => 1 + random(random(4) === 0 ? 50 : 100_000),
      disturb: randomDisturbance({ fresh: () => new Machine(modules, OPTIONS), sights, random, spectator }),
    });
    assertSameStory(story, reference, `seed ${seed}, round ${round}`);
    console.log(`round ${round}: ${spectator.account}`);
    for (const bit of [L.OBSERVED_STEP, L.OBSERVED_WATCH, L.OBSERVED_BREAKPOINT]) {
      assert.ok((spectator.seen.get(bit) ?? 0) > 0, `nothing was observed for cause ${bit}`);
    }
  }
});
