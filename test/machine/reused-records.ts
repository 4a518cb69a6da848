// A found case, kept: regions that were let go after a flush of the arena wrote into the records that had taken their blocks' place.
import type { Random } from './disturbances.ts';

/**
 * The numbers that the disturbances of test/machine/determinism drew when they found it. There are hundreds of thousands, so they are
 * kept as the formula that made them (mulberry32 from 784,929), and not as a source of randomness.
 */
export function drawsOfReusedRecords(): Random {
  let state = 784_929;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}
