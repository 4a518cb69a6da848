// The lockstep mode: it finds nothing in a guest that runs the same in both engines, and finds the one instruction otherwise.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import type { EngineModules } from '../../src/core/engine.ts';
import { loadEngineModules } from '../../src/entry/node-files.ts';
import type { MachineStop } from '../../src/machine/api.ts';
import { loadMultiboot } from '../../src/machine/boot/multiboot.ts';
import { Machine } from '../../src/machine/machine.ts';
import { describe as describeResult, lockstep } from './lockstep.ts';

const OPTIONS = { cpus: 4, memorySize: 16 << 20 };
const THRESHOLD = 20;
const kernel = new Uint8Array(readFileSync(join(import.meta.dirname, '../../guests/smp/smp.elf')));
let modules: EngineModules;

/** A machine whose RBX goes wrong by itself when so many instructions are done. */
class Faulty extends Machine {
  private readonly wrongAfter: number;
  constructor(wrongAfter: number) {
    super(modules, { ...OPTIONS, jit: THRESHOLD });
    this.wrongAfter = wrongAfter;
  }
  override run(ticks: number): MachineStop {
    const left = this.wrongAfter - Number(this.instructions);
    if (left <= 0 || left > ticks) return super.run(ticks);
    super.run(left);
    const { engine, turn } = this;
    engine.vcpu(turn).rbx = engine.vcpu(turn).rbx ^ 4n;
    return left < ticks ? super.run(ticks - left) : { kind: 'spent' };
  }
}
const load = <M extends Machine>(machine: M): M => {
  loadMultiboot(machine.engine, { kernel: { name: 'smp.elf', bytes: kernel } });
  return machine;
};

describe('lockstep of interpreter and JIT', () => {
  before(async () => {
    modules = await loadEngineModules();
  });
  it('goes through the sample guest without a difference', () => {
    const make = (jit: boolean): Machine => load(new Machine(modules, { ...OPTIONS, jit: jit ? THRESHOLD : false }));
    const result = lockstep({ make, instructions: 100_000_000, slice: 100_000, snapshotEvery: 50 });
    console.log(describeResult(result));
    assert.equal(result.divergence, undefined);
    assert.ok(result.share > 0.3, `only ${result.share} ran compiled`);
  });
  it('finds the instruction after which a register is wrong', () => {
    const wrongAfter = 1_234_567;
    const make = (jit: boolean): Machine =>
      load(jit ? new Faulty(wrongAfter) : new Machine(modules, { ...OPTIONS, jit: false }));
    const { divergence } = lockstep({ make, instructions: 10_000_000, slice: 100_000, snapshotEvery: 3 });
    assert.ok(divergence?.exact);
    assert.equal(divergence.instructions, BigInt(wrongAfter - 1));
    assert.match(divergence.differences.join('\n'), /vCPU \d rbx: interpreter/);
  });
});
