// What a host may do to a machine without the guest noticing: slices of random length, thrown-away caches, snapshots moved
// into fresh machines, an observer that comes, watches, steps and goes.
import assert from 'node:assert/strict';
import * as L from '../../src/core/layout.ts';
import type { MachineObserver, MachineStop } from '../../src/machine/api.ts';
import type { Machine } from '../../src/machine/machine.ts';

export type Random = (below: number) => number;
/** Does something to the machine that the guest must not notice; may answer another machine to go on with. */
export type Disturbance = (machine: Machine) => Machine;

export interface Story {
  /** Instructions, clock and digest at each checkpoint and at the end. */
  readonly digests: readonly string[];
  readonly output: string;
  readonly end: MachineStop;
}
export interface Course {
  /** Instructions between two checkpoints. */
  readonly checkpoint: number;
  /** Instructions after which the story ends, if the guest does not before. */
  readonly limit: number;
  /** Length of the next slice, when `left` instructions are left to the next checkpoint. */
  readonly slice?: (left: number) => number;
  readonly disturb?: Disturbance;
}

/** Runs a machine from where it is to its end or to the limit. */
export function play(first: Machine, course: Course): Story {
  const { checkpoint, limit, slice = (left) => left, disturb = (machine) => machine } = course;
  let machine = first;
  let output = '';
  const digests: string[] = [];
  const decoder = new TextDecoder();
  const note = (): void => void digests.push(`${machine.instructions} ${machine.clock} ${machine.digest()}`);
  for (;;) {
    machine.onSerial = (bytes) => {
      output += decoder.decode(bytes, { stream: true });
    };
    const done = Number(machine.instructions);
    const left = checkpoint - (done % checkpoint);
    const end = machine.run(Math.min(slice(left), left));
    if (end.kind !== 'spent' && end.kind !== 'observed') {
      note();
      return { digests, output, end };
    }
    if (Number(machine.instructions) % checkpoint === 0) note();
    if (Number(machine.instructions) >= limit) return { digests, output, end: { kind: 'spent' } };
    machine = disturb(machine);
  }
}

/** Two runs have the same checkpoints, output and end; `name` says which runs. */
export function assertSameStory(story: Story, reference: Story, name: string): void {
  const differs = reference.digests.findIndex((digest, i) => digest !== story.digests[i]);
  assert.equal(differs, -1, `${name}: ${story.digests[differs]} is not ${reference.digests[differs]}`);
  assert.deepEqual(story, reference, name);
}

/** What the observer looks at. */
export interface Sights {
  readonly breakpoints: Iterable<bigint>;
  /** For the host's first two debug registers: 8 bytes and 4 bytes, reads and writes, aligned. */
  readonly watched: readonly [bigint, bigint];
}

/**
 * Watches addresses with the second bank of debug registers, has execution breakpoints, and single-steps now and then;
 * stops nothing.
 */
export class Spectator implements MachineObserver {
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
    engine.vcpu().passLinear = engine.vcpu().rip + engine.vcpu().cs.base;
    engine.vcpu().passCr3 = engine.vcpu().cr3;
    engine.vcpu().passRsp = engine.vcpu().rsp;
    engine.vcpu().passFaulted = 0;
    engine.vcpu().passToken = 1;
    engine.attend(vcpu, L.ATTENTION_EVENT);
    return 'resume';
  }
  onDelivery(): void {
    this.deliveries++;
  }
  onStartup(): void {}
  onLog(): void {}
  /** What it saw, in words, for the log of a test. */
  get account(): string {
    const seen = [...this.seen].map(([bit, count]) => `${bit}: ${count}`).join(', ');
    return `observed ${seen}; ${this.deliveries} deliveries`;
  }
}

export interface Stage {
  /** A machine like the one that is disturbed, in its power-on state. */
  readonly fresh: () => Machine;
  readonly sights: (machine: Machine, random: Random) => Sights;
  readonly random: Random;
  readonly spectator: Spectator;
}

function observe(machine: Machine, { sights, random, spectator }: Stage, present: boolean): void {
  const { engine } = machine;
  const { breakpoints, watched } = sights(machine, random);
  spectator.machine = machine;
  spectator.breakpoints.clear();
  if (present) for (const address of breakpoints) spectator.breakpoints.add(address);
  machine.observer = present ? spectator : undefined;
  for (let vcpu = 0; vcpu < engine.vcpuCount; vcpu++) {
    engine.vcpu(vcpu).hDr0 = watched[0];
    engine.vcpu(vcpu).hDr1 = watched[1];
    engine.vcpu(vcpu).hDr7 = present ? 0x00fb0005 : 0;
  }
  const selected = engine.current;
  for (let vcpu = 0; vcpu < engine.vcpuCount; vcpu++) {
    engine.select(vcpu);
    engine.system.observerChanged();
  }
  engine.select(selected);
  engine.flushBlocks();
}

/** One disturbance at random, each time it is called. */
export function randomDisturbance(stage: Stage): Disturbance {
  const { fresh, random, spectator } = stage;
  const choices: readonly Disturbance[] = [
    (machine) => machine,
    (machine) => {
      const { engine } = machine;
      const selected = engine.current;
      for (let vcpu = 0; vcpu < engine.vcpuCount; vcpu++) {
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
      const next = fresh();
      next.restore(machine.save());
      if (machine.observer !== undefined) observe(next, stage, true);
      return next;
    },
    (machine) => {
      observe(machine, stage, machine.observer === undefined);
      return machine;
    },
    (machine) => {
      machine.engine.hotThreshold = [0, 8, 64, 500][random(4)] ?? 0;
      return machine;
    },
    (machine) => {
      machine.engine.select(random(machine.engine.vcpuCount));
      return machine;
    },
    (machine) => {
      if (machine.observer !== spectator) return machine;
      const vcpu = random(machine.engine.vcpuCount);
      machine.engine.vcpu(vcpu).lease = 1 + random(3);
      machine.engine.attend(vcpu, L.ATTENTION_EVENT);
      return machine;
    },
  ];
  return (machine) => choices[random(choices.length)]?.(machine) ?? machine;
}
