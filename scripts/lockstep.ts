// `npm run lockstep`: a guest in interpreter and JIT side by side, to the first instruction that differs.
// usage: lockstep.ts --kernel FILE [--initrd FILE] [--append TEXT] [--smp N] [--memory MIB] [--instructions N] [--slice N] [--threshold N]
//   Status 0: no difference; 1: one, which is described; 2: wrong options.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { loadEngineModules } from '../src/entry/node-files.ts';
import { HOT_THRESHOLD } from '../src/jit/jit.ts';
import { loadKernel } from '../src/machine/boot/load-kernel.ts';
import { Machine } from '../src/machine/machine.ts';
import { describe, lockstep } from '../test/jit/lockstep.ts';
import { messageOf } from './process.ts';

const { values } = parseArgs({
  options: {
    kernel: { type: 'string' },
    initrd: { type: 'string' },
    append: { type: 'string', default: '' },
    smp: { type: 'string', default: '1' },
    memory: { type: 'string', default: '256' },
    instructions: { type: 'string', default: '500000000' },
    slice: { type: 'string', default: '5000000' },
    threshold: { type: 'string', default: String(HOT_THRESHOLD) },
  },
});

async function main(): Promise<number> {
  const { kernel, initrd, append } = values;
  const [cpus, memory, instructions, slice, threshold] = (
    ['smp', 'memory', 'instructions', 'slice', 'threshold'] as const
  ).map((name) => {
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} must be a whole number above 0.`);
    return value;
  });
  if (kernel === undefined) throw new Error('--kernel FILE says which guest.');
  const modules = await loadEngineModules();
  const file = (name: string) => ({ name: path.basename(name), bytes: new Uint8Array(readFileSync(name)) });
  const request = { kernel: file(kernel), append, initrd: initrd === undefined ? undefined : file(initrd) };
  const result = lockstep({
    make: (jit) => {
      const options = { cpus: cpus ?? 1, memorySize: (memory ?? 1) << 20, jit: jit ? (threshold ?? true) : false };
      const machine = new Machine(modules, options);
      loadKernel(machine, request);
      return machine;
    },
    instructions: instructions ?? 1,
    slice: slice ?? 1,
    snapshotEvery: 10,
  });
  console.log(describe(result));
  return result.divergence === undefined ? 0 : 1;
}
try {
  process.exitCode = await main();
} catch (error) {
  console.error(`lockstep: ${messageOf(error)}`);
  process.exitCode = 2;
}
