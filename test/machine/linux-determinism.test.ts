// Debian's kernel on four vCPUs: the same inputs give the same run, however often and however disturbed.
// TRAPLINE_LINUX_INSTRUCTIONS says how far it goes, TRAPLINE_LINUX_ROUNDS how often it is disturbed.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadEngineModules } from '../../src/entry/node-files.ts';
import { loadKernel } from '../../src/machine/boot/load-kernel.ts';
import { Machine } from '../../src/machine/machine.ts';
import { assertSameStory, play, randomDisturbance, Spectator, type Random, type Sights } from './disturbances.ts';
import { campaignSeed, randomOf } from '../harness/random.ts';
import { COMMON_APPEND, guestOrReason } from './linux/run-guest.ts';
import { unpackVmlinux } from './linux/vmlinux.ts';

const OPTIONS = { cpus: 4, memorySize: 256 << 20 };
const limit = Number(process.env['TRAPLINE_LINUX_INSTRUCTIONS'] ?? 200_000_000);
const rounds = Number(process.env['TRAPLINE_LINUX_ROUNDS'] ?? 1);
const COURSE = { checkpoint: limit / 5, limit };

const guest = await guestOrReason();
/** A short run is spent on the kernel and its processors, not on its unpacking; the whole guest is done after 450 million. */
const UNPACKED_BELOW = 400_000_000;
function kernelOf(file: string): Uint8Array | string {
  const image = new Uint8Array(readFileSync(file));
  return limit < UNPACKED_BELOW ? unpackVmlinux(image) : image;
}
const kernel = typeof guest === 'string' ? guest : kernelOf(guest.kernel);

/** Wherever the vCPUs are just now: the code that they run, and their stacks. */
function sights({ engine }: Machine, random: Random): Sights {
  const breakpoints = new Set<bigint>();
  for (let vcpu = 0; vcpu < engine.vcpuCount; vcpu++) {
    const rip = engine.vcpu(vcpu).rip;
    for (let i = 0; i < 20; i++) breakpoints.add(rip + BigInt(random(400) - 200));
  }
  const { rsp } = engine.vcpu(random(engine.vcpuCount));
  return { breakpoints, watched: [(rsp - BigInt(8 * random(32))) & ~7n, (rsp + BigInt(8 * random(32))) & ~7n] };
}

test(
  `${limit / 1e6} million instructions of Debian's kernel at 4 vCPUs: disturbances leave no trace`,
  { skip: typeof kernel === 'string' ? kernel : false, timeout: 3_000_000 },
  async () => {
    if (typeof guest === 'string' || typeof kernel === 'string') return;
    const modules = await loadEngineModules();
    const initrd = { name: 'initramfs', bytes: new Uint8Array(readFileSync(guest.initrd)) };
    const boot = (): Machine => {
      const machine = new Machine(modules, OPTIONS);
      loadKernel(machine, { kernel: { name: 'kernel', bytes: kernel }, initrd, append: COMMON_APPEND });
      return machine;
    };
    const reference = play(boot(), COURSE);
    console.log(`undisturbed: ${reference.digests.at(-1)}`);
    const seed = campaignSeed();
    console.log(`seed ${seed}`);
    const random = randomOf(seed, 'linux');
    for (let round = 0; round < rounds; round++) {
      const spectator = new Spectator();
      const story = play(boot(), {
        ...COURSE,
        slice: () => 1 + random(random(4) === 0 ? 50 : COURSE.limit / 30),
        disturb: randomDisturbance({ fresh: () => new Machine(modules, OPTIONS), sights, random, spectator }),
      });
      assertSameStory(story, reference, `seed ${seed}, round ${round}`);
      console.log(`round ${round}: ${spectator.account}`);
    }
    assert.match(reference.output, /smp: Brought up 1 node, 4 CPUs/);
  },
);
