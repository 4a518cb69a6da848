// The boot of Debian's kernel in lockstep: 500 million instructions at 1 and 4 vCPUs.
// TRAPLINE_LOCKSTEP_INSTRUCTIONS and TRAPLINE_LOCKSTEP_CPUS say otherwise.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { loadEngineModules } from '../../src/entry/node-files.ts';
import { loadKernel } from '../../src/machine/boot/load-kernel.ts';
import { Machine } from '../../src/machine/machine.ts';
import { describe as describeResult, lockstep } from '../jit/lockstep.ts';
import { COMMON_APPEND, guestOrReason } from '../machine/linux/run-guest.ts';

const instructions = Number(process.env['TRAPLINE_LOCKSTEP_INSTRUCTIONS'] ?? 500_000_000);
const cpuCounts = (process.env['TRAPLINE_LOCKSTEP_CPUS'] ?? '1,4').split(',').map(Number);
const MEMORY = 256 << 20;
const guest = await guestOrReason();

for (const cpus of cpuCounts) {
  test(
    `${instructions / 1e6} million instructions of Debian's boot at ${cpus} vCPUs are the same in both engines`,
    { skip: typeof guest === 'string' ? guest : false, timeout: 3_000_000 },
    async () => {
      if (typeof guest === 'string') return;
      const modules = await loadEngineModules();
      const kernel = { name: 'vmlinuz', bytes: new Uint8Array(readFileSync(guest.kernel)) };
      const initrd = { name: 'initramfs', bytes: new Uint8Array(readFileSync(guest.initrd)) };
      const make = (jit: boolean): Machine => {
        const machine = new Machine(modules, { cpus, memorySize: MEMORY, jit });
        loadKernel(machine, { kernel, initrd, append: COMMON_APPEND });
        return machine;
      };
      const result = lockstep({ make, instructions, slice: 5_000_000, snapshotEvery: 10 });
      console.log(describeResult(result));
      assert.equal(result.divergence, undefined, describeResult(result));
      assert.ok(result.instructions > BigInt(instructions) / 2n, 'the guest ended early');
    },
  );
}
