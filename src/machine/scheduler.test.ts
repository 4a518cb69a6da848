import assert from 'node:assert/strict';
import { test } from 'node:test';
import { campaignSeed, randomOf } from '../../test/harness/random.ts';
import { Scheduler, type Processors, type RunCode, type RunResult } from './scheduler.ts';
import { BufferWriter, StateReader } from './state-stream.ts';
import { VirtualClock } from './virtual-clock.ts';

/**
 * vCPUs that run a made-up program: after a number of instructions that depends on what they did before, they halt, arm a
 * timer, or wake another. All of it is state, so runs may be cut anywhere.
 */
class Toys implements Processors {
  readonly count: number;
  readonly trace: string[] = [];
  readonly clock: VirtualClock;
  scheduler!: Scheduler;
  private left = 0;
  private readonly halted: boolean[];
  private readonly pending: boolean[];
  private readonly step: number[];
  private readonly timers;

  constructor(count: number) {
    this.count = count;
    this.halted = Array.from({ length: count }, () => false);
    this.pending = Array.from({ length: count }, () => false);
    this.step = Array.from({ length: count }, (_, i) => i * 1000);
    this.clock = new VirtualClock(() => this.left);
    this.timers = this.halted.map((_, vcpu) => this.clock.create(`timer${vcpu}`, () => this.raise(vcpu)));
  }
  private stopNow = false;
  attach(scheduler: Scheduler): void {
    this.scheduler = scheduler;
    this.clock.onEarlier = () => {
      this.stopNow = true;
    };
  }
  raise(vcpu: number): void {
    this.pending[vcpu] = true;
    this.scheduler.wake(vcpu);
  }
  run(vcpu: number, ticks: number, end: bigint): RunResult {
    this.left = ticks;
    this.stopNow = false;
    let yields = false;
    const done = (code: RunCode) => ({ code, used: ticks - this.left, yields });
    for (;;) {
      if (this.left === 0) return done('spent');
      if (this.stopNow) return done('stop');
      if (this.halted[vcpu]) {
        if (!this.pending[vcpu]) return done('halted');
        this.pending[vcpu] = false;
        this.halted[vcpu] = false;
        this.left--; // the delivery of an event takes a tick
        continue;
      }
      assert.equal(this.clock.now, end - BigInt(this.left));
      const n = (this.step[vcpu] ?? 0) + 1;
      this.step[vcpu] = n;
      const random = randomOf(n, vcpu);
      this.trace.push(`${vcpu}:${n}@${this.clock.now}`);
      const choice = random(60);
      if (choice === 0) this.timers[vcpu]?.arm(this.clock.now + BigInt(random(300)));
      if (choice === 1) this.halted[vcpu] = true;
      if (choice === 2) this.raise(random(this.count));
      this.left--;
      if (choice === 3) {
        yields = true;
        return done('stop');
      }
    }
  }
}

function play(slices: (left: number) => number, total: number, forget = false): string {
  const toys = new Toys(4);
  let scheduler = new Scheduler(toys, toys.clock, 50);
  toys.attach(scheduler);
  let stuck = 0;
  while (scheduler.ticks < BigInt(total)) {
    const ticks = Math.min(slices(total - Number(scheduler.ticks)), total - Number(scheduler.ticks));
    const stop = scheduler.run({ ticks, idleJumps: true, interrupted: () => false, resumeObserved: () => true });
    if (stop.kind === 'idle') {
      if (++stuck > 1000) break;
      toys.raise(Number(scheduler.ticks) % 4);
    }
    if (forget) {
      const writer = new BufferWriter();
      scheduler.save(writer);
      scheduler = new Scheduler(toys, toys.clock, 50);
      toys.attach(scheduler);
      scheduler.restore(new StateReader(writer.finish()));
    }
  }
  const writer = new BufferWriter();
  scheduler.save(writer);
  return `${toys.trace.join(' ')} | ${Buffer.from(writer.finish()).toString('hex')} ${toys.clock.now}`;
}

test('slice length and forgetting derived state leave no trace in the schedule', () => {
  const seed = campaignSeed(20_250_101);
  console.log(`seed ${seed}`);
  const random = randomOf(seed);
  const reference = play(() => 1_000_000, 20_000);
  assert.ok(reference.length > 100_000);
  assert.equal(
    play(() => 1, 20_000),
    reference,
  );
  assert.equal(
    play(() => 1, 20_000, true),
    reference,
  );
  for (let i = 0; i < 10; i++) {
    assert.equal(
      play(() => 1 + random(200), 20_000, i % 2 === 1),
      reference,
      `round ${i}`,
    );
  }
});

test('all halted: idle without a timer, a jump with one', () => {
  const clock = new VirtualClock(() => 0);
  const processors: Processors = { count: 2, run: () => ({ code: 'halted', used: 0 }) };
  const scheduler = new Scheduler(processors, clock, 10);
  const limits = { ticks: 100, idleJumps: true, interrupted: () => false, resumeObserved: () => true };
  assert.deepEqual(scheduler.run(limits), { kind: 'idle' });
  let fired = 0;
  const timer = clock.create('t', () => fired++);
  timer.arm(500n);
  assert.deepEqual(scheduler.run({ ...limits, idleJumps: false }), { kind: 'idle' });
  assert.equal(clock.now, 0n);
  assert.deepEqual(scheduler.run(limits), { kind: 'idle' });
  assert.equal(clock.now, 500n);
  assert.equal(fired, 1);
});

test('a guest that only lets timers expire does not hold the thread', () => {
  const clock = new VirtualClock(() => 0);
  const scheduler = new Scheduler({ count: 1, run: () => ({ code: 'halted', used: 0 }) }, clock, 10);
  const timer = clock.create('t', () => timer.arm(clock.now + 1n));
  timer.arm(1n);
  const stop = scheduler.run({ ticks: 1, idleJumps: true, interrupted: () => false, resumeObserved: () => true });
  assert.deepEqual(stop, { kind: 'spent' });
});

test('one vCPU alone does not change whose turn it is', () => {
  const clock = new VirtualClock(() => 0);
  const ran: number[] = [];
  const processors: Processors = {
    count: 3,
    run: (vcpu, ticks) => {
      ran.push(vcpu);
      return { code: 'spent', used: ticks };
    },
  };
  const scheduler = new Scheduler(processors, clock, 10);
  const limits = { idleJumps: true, interrupted: () => false, resumeObserved: () => true };
  scheduler.run({ ...limits, ticks: 5 });
  scheduler.run({ ...limits, ticks: 1, only: 2 });
  assert.equal(scheduler.turn, 0);
  scheduler.run({ ...limits, ticks: 6 });
  assert.deepEqual(ran, [0, 2, 0, 1]);
});

test('shutdown is reported once', () => {
  const clock = new VirtualClock(() => 0);
  const scheduler = new Scheduler({ count: 1, run: () => ({ code: 'shutdown', used: 0 }) }, clock, 10);
  const limits = { ticks: 10, idleJumps: true, interrupted: () => false, resumeObserved: () => true };
  assert.deepEqual(scheduler.run(limits), { kind: 'shutdown', vcpu: 0 });
  assert.deepEqual(scheduler.run(limits), { kind: 'idle' });
});
