// Random programs with loops, calls, faults, ring changes, stores into code and page remapping, in both engines.
// TRAPLINE_FUZZ_PROGRAMS: how many. TRAPLINE_SEED: the campaign's seed. TRAPLINE_FUZZ_FIRST: the first program's number.
// TRAPLINE_FUZZ_QUICK: the first difference is enough, and its program is not made smaller.
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { loadEngineModules } from '../../src/entry/node-files.ts';
import { campaignSeed } from '../harness/random.ts';
import { fuzz } from './fuzz-campaign.ts';

const programs = Number(process.env['TRAPLINE_FUZZ_PROGRAMS'] ?? 2000);
const seed = campaignSeed();
const quick = process.env['TRAPLINE_FUZZ_QUICK'] !== undefined;
const first = Number(process.env['TRAPLINE_FUZZ_FIRST'] ?? 0);

it(`${programs} random programs are the same in interpreter and JIT`, async () => {
  console.log(`seed ${seed}, programs ${first} to ${first + programs - 1}`);
  const result = fuzz(await loadEngineModules(), {
    seed,
    programs,
    first,
    ...(quick ? { enough: 1, minimised: false } : {}),
  });
  const { sights } = result;
  const share = sights.compiled / sights.ticks;
  console.log(
    `${result.programs} programs, ${sights.ticks} ticks, ${(share * 100).toFixed(1)} % of them compiled, ${result.regions} regions; ${sights.faults} faults, ${sights.interrupts} interrupts, ${sights.user} stops in ring 3`,
  );
  const accounts = result.differences.map((found) => `program ${found.program} of seed ${seed}: ${found.account}`);
  assert.equal(accounts.length, 0, accounts.join('\n'));
  assert.deepEqual(result.failures, {});
  for (const seen of Object.values(sights)) assert.ok(seen > 0, JSON.stringify(sights));
  assert.ok(share > 0.2, `only ${share} ran compiled`);
});
