// RDRAND and RDSEED (SDM 1 7.3.17). A guest's run has to be the same for the same inputs, so the source of random
// numbers is guest state: SplitMix64 (G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number
// generators", OOPSLA 2014), one counter a vCPU, seeded at power-on from the machine's seed. It never runs dry: CF is
// always 1.
import * as L from '../../../layout';
import { dstPointer } from '../../core/record';
import { FLAG_CF, setArithmetic } from '../state/flags';
import { operandSize, setSlot } from '../state/operand-size';

/** The golden ratio's fraction, which is odd: the counter takes all 2^64 values. */
const GAMMA: u64 = 0x9e3779b97f4a7c15;

function mixed(z: u64): u64 {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}
/** Each vCPU begins at another place, which the next numbers of the others do not come near. */
export function seedRandom(): void {
  store<u64>(L.RANDOM, mixed(load<u64>(L.CONFIG_RANDOM_SEED) + GAMMA * <u64>(load<u32>(L.VCPU) + 1)));
}
export function readRandom(r: usize): void {
  let counter = load<u64>(L.RANDOM) + GAMMA;
  store<u64>(L.RANDOM, counter);
  setSlot(dstPointer(r), operandSize(r), mixed(counter));
  setArithmetic(FLAG_CF);
}
