// Same inputs, same run, bit for bit: whatever the host does in between (DESIGN 3). The sample guest runs once undisturbed;
// then again and again with slices of random length, thrown-away caches, snapshots moved into fresh machines, and an
// observer that comes, watches, steps and goes. Digest, clock and output must not differ.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import * as L from '../../src/core/layout.ts';
import type { EngineModules } from '../../src/core/engine.ts';
import { loadEngineModules } from '../../src/entry/node-files.ts';
import type { MachineObserver, MachineStop } from '../../src/machine/api.ts';
import { loadMultiboot } from '../../src/machine/boot/multiboot.ts';
import { Machine } from '../../src/machine/machine.ts';
import { randomSource } from './fakes.ts';

const OPTIONS = { cpus: 4, memorySize: 32 << 20 };
/** Digests are compared each time this many instructions have passed. */
const CHECKPOINT = 1_000_000;
const LIMIT = 2_000_000_000;
const kernel = new Uint8Array(readFileSync(new URL('../../guests/smp/smp.elf', import.meta.url)));

interface Story {
  readonly digests: readonly string[];
  readonly output: string;
  readonly end: MachineStop;
}
/** Does something to the machine that the guest must not notice; may answer another machine to go on with. */
type Disturbance = (machine: Machine) => Machine;

function boot(modules: EngineModules): Machine {
  const machine = new Machine(modules, OPTIONS);
  loadMultiboot(machine.engine, { kernel: { name: 'smp.elf', bytes: kernel } });
  return machine;
}

function play(first: Machine, slice: (left: number) => number, disturb: Disturbance): Story {
  let machine = first;
  let output = '';
  const digests: string[] = [];
  const decoder = new TextDecoder();
  const listen = (): void => {
    machine.onSerial = (bytes) => {
      output += decoder.decode(bytes, { stream: true });
    };
  };
  listen();
  for (;;) {
    const done = Number(machine.instructions);
    assert.ok(done < LIMIT, 'the guest does not end');
    const left = CHECKPOINT - (done % CHECKPOINT);
    const end = machine.run(Math.min(slice(left), left));
    if (end.kind !== 'spent' && end.kind !== 'observed') {
      digests.push(`${machine.instructions} ${machine.clock} ${machine.digest()}`);
      return { digests, output, end };
    }
    if (Number(machine.instructions) % CHECKPOINT === 0) {
      digests.push(`${machine.instructions} ${machine.clock} ${machine.digest()}`);
    }
    machine = disturb(machine);
    listen();
  }
}

/**
 * Watches random addresses with the second bank of debug registers, has execution breakpoints at random places, and
 * single-steps now and then; stops nothing.
 */
class Spectator implements MachineObserver {
  /** What it was called for, by L.OBSERVED_* bits. */
  readonly seen = new Map<number, number>();
  deliveries = 0;
  readonly breakpoints = new Set<bigint>();
  machine: Machine | undefined;

  splitAt(linear: bigint): boolean {
    return this.breakpoints.has(linear);
  }
  splitCount(): number {
    return this.breakpoints.size;
  }
  onObserved(vcpu: number, causes: number): 'resume' {
    for (let bit = 1; bit <= causes; bit <<= 1) {
      if ((causes & bit) !== 0) this.seen.set(bit, (this.seen.get(bit) ?? 0) + 1);
    }
    const engine = this.machine?.engine;
    if ((causes & L.OBSERVED_BREAKPOINT) === 0 || engine === undefined) return 'resume';
    engine.set64(L.PASS_LINEAR, engine.get64(L.RIP) + engine.get64(L.CS));
    engine.set64(L.PASS_CR3, engine.get64(L.CR3));
    engine.set64(L.PASS_RSP, engine.get64(L.RSP));
    engine.set32(L.PASS_FAULTED, 0);
    engine.set32(L.PASS_TOKEN, 1);
    engine.attend(vcpu, L.ATTENTION_EVENT);
    return 'resume';
  }
  onDelivery(): void {
    this.deliveries++;
  }
  onStartup(): void {}
  onLog(): void {}
}

function observe(machine: Machine, spectator: Spectator | undefined, random: (below: number) => number): void {
  if (spectator !== undefined) {
    spectator.machine = machine;
    spectator.breakpoints.clear();
    for (let i = 0; i < 300; i++) spectator.breakpoints.add(BigInt(0x100000 + random(0x4000)));
  }
  machine.observer = spectator;
  const { engine } = machine;
  for (let vcpu = 0; vcpu < OPTIONS.cpus; vcpu++) {
    // two data slots, reads and writes: 8 bytes of locks and list, 4 bytes of the processors' own data (smp.elf's map)
    engine.set64(L.H_DR0, BigInt((random(2) === 0 ? 0x106000 : 0x189040) + 8 * random(8)), vcpu);
    engine.set64(L.H_DR0 + 8, BigInt(0x153000 + 4 * random(0x158)), vcpu);
    engine.set32(L.H_DR7, spectator === undefined ? 0 : 0x00fb0005, vcpu);
  }
  const selected = engine.current;
  for (let vcpu = 0; vcpu < OPTIONS.cpus; vcpu++) {
    engine.select(vcpu);
    engine.system.observerChanged();
  }
  engine.select(selected);
  engine.flushBlocks();
}

function disturbances(modules: EngineModules, random: (below: number) => number, spectator: Spectator): Disturbance[] {
  return [
    (machine) => machine,
    (machine) => {
      const { engine } = machine;
      const selected = engine.current;
      for (let vcpu = 0; vcpu < OPTIONS.cpus; vcpu++) {
        engine.select(vcpu);
        engine.system.flushTags();
      }
      engine.select(selected);
      return machine;
    },
    (machine) => {
      machine.engine.flushBlocks();
      return machine;
    },
    (machine) => {
      const fresh = new Machine(modules, OPTIONS);
      fresh.restore(machine.save());
      if (machine.observer !== undefined) observe(fresh, spectator, random);
      return fresh;
    },
    (machine) => {
      observe(machine, machine.observer === undefined ? spectator : undefined, random);
      return machine;
    },
    (machine) => {
      machine.engine.hotThreshold = [0, 8, 64, 500][random(4)] ?? 0;
      return machine;
    },
    (machine) => {
      machine.engine.select(random(OPTIONS.cpus));
      return machine;
    },
    (machine) => {
      if (machine.observer === undefined) return machine;
      const vcpu = random(OPTIONS.cpus);
      machine.engine.set32(L.LEASE, 1 + random(3), vcpu);
      machine.engine.attend(vcpu, L.ATTENTION_EVENT);
      return machine;
    },
  ];
}

test('slices, flushes, snapshots and an observer leave no trace', { timeout: 600_000 }, async () => {
  const modules = await loadEngineModules();
  const reference = play(
    boot(modules),
    (left) => left,
    (machine) => machine,
  );
  console.log(`undisturbed: ${reference.digests.at(-1)}, ${JSON.stringify(reference.end)}`);
  assert.equal(reference.end.kind, 'exit');
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
  console.log(`seed ${seed}`);
  const random = randomSource(seed);
  const rounds = Number(process.env['ROUNDS'] ?? 2);
  for (let round = 0; round < rounds; round++) {
    const spectator = new Spectator();
    const choices = disturbances(modules, random, spectator);
    const slice = (): number => 1 + random(random(4) === 0 ? 50 : 100_000);
    const story = play(boot(modules), slice, (machine) => choices[random(choices.length)]?.(machine) ?? machine);
    const differs = reference.digests.findIndex((digest, i) => digest !== story.digests[i]);
    assert.equal(
      differs,
      -1,
      `seed ${seed}, round ${round}: ${story.digests[differs]} is not ${reference.digests[differs]}`,
    );
    assert.deepEqual(story, reference);
    const seen = [...spectator.seen].map(([bit, count]) => `${bit}: ${count}`).join(', ');
    console.log(`round ${round}: observed ${seen}; ${spectator.deliveries} deliveries`);
    for (const bit of [L.OBSERVED_STEP, L.OBSERVED_WATCH, L.OBSERVED_BREAKPOINT]) {
      assert.ok((spectator.seen.get(bit) ?? 0) > 0, `nothing was observed for cause ${bit}`);
    }
  }
});
