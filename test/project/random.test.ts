// The tests' randomness: seeds that mean something, and one generator for all.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { listFiles } from '../../scripts/files.ts';
import { repositoryRoot } from '../../scripts/process.ts';
import { campaignSeed, freshSeed, random64, randomOf } from '../harness/random.ts';
import path from 'node:path';
import { readFileSync } from 'node:fs';

const first = (seed: number, ...names: (string | number)[]): string => {
  const random = randomOf(seed, ...names);
  return [random64(random), random64(random)].join();
};

describe("the tests' random numbers", () => {
  it('are the same for the same seed and names, here as everywhere', () => {
    assert.equal(first(1), first(1));
    assert.equal(first(1, 'a'), first(1, 'a'));
    assert.deepEqual(Array.from({ length: 4 }, randomOf(42).bind(undefined, 1000)), [149, 399, 807, 885]);
  });

  it('100,000 neighbouring seeds and streams begin at as many places of 128 bits', () => {
    const starts = new Set<string>();
    for (let i = 0; i < 50_000; i += 1) starts.add(first(i)).add(first(1, i));
    assert.equal(starts.size, 100_000);
  });

  // With 32 bits of state on one cycle, campaigns of a million draws ran into each other's numbers.
  it('sixteen campaigns of 65,536 draws have no three numbers in a row in common', () => {
    const seen = new Set<string>();
    for (let campaign = 0; campaign < 16; campaign += 1) {
      const random = randomOf(campaign);
      for (let draw = 0; draw < 65_536 / 4; draw += 1) {
        const numbers = `${random(2 ** 32)} ${random(2 ** 32)} ${random(2 ** 32)}`;
        random(2);
        assert.ok(!seen.has(numbers), `campaign ${campaign} repeats another at ${draw}`);
        seen.add(numbers);
      }
    }
  });

  it('fill a small range evenly', () => {
    const random = randomOf(7);
    const counts = [0, 0, 0, 0, 0, 0];
    for (let i = 0; i < 60_000; i += 1) {
      const number = random(6);
      counts[number] = (counts[number] ?? 0) + 1;
    }
    for (const count of counts) assert.ok(Math.abs(count - 10_000) < 500, counts.join());
  });

  it('a fresh seed is another each time', () => {
    assert.equal(new Set(Array.from({ length: 1000 }, freshSeed)).size, 1000);
  });

  it('TRAPLINE_SEED sets the seed of a campaign, and has to be a number', () => {
    const before = process.env['TRAPLINE_SEED'];
    try {
      process.env['TRAPLINE_SEED'] = '12345678901';
      assert.equal(campaignSeed(7), 12_345_678_901);
      process.env['TRAPLINE_SEED'] = 'luck';
      assert.throws(() => campaignSeed(7), /TRAPLINE_SEED is "luck"/);
      delete process.env['TRAPLINE_SEED'];
      assert.equal(campaignSeed(7), 7);
      assert.notEqual(campaignSeed(), campaignSeed());
    } finally {
      if (before === undefined) delete process.env['TRAPLINE_SEED'];
      else process.env['TRAPLINE_SEED'] = before;
    }
  });

  it('come from one generator: no test has another', () => {
    const own = /Math\.random\(|\^= \w+ << 13|0x6d2b79f5|0x9e3779b9|1664525|2685821657736338717/;
    const allowed = new Set(['test/project/random.test.ts', 'test/machine/reused-records.ts']);
    const tests = [...listFiles('test'), ...listFiles('src')].filter((file) => /^test\/|\.test\.ts$/.test(file));
    const faulty = tests.filter(
      (file) => !allowed.has(file) && own.test(readFileSync(path.join(repositoryRoot, file), 'utf8')),
    );
    assert.deepEqual(faulty, []);
  });
});
