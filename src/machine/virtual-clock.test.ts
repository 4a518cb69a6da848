import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BufferWriter, StateReader } from './state-stream.ts';
import { VirtualClock } from './virtual-clock.ts';

test('timers fire by time, ties in the order of their creation', () => {
  const clock = new VirtualClock(() => 0);
  const fired: string[] = [];
  const a = clock.create('a', () => fired.push('a'));
  const b = clock.create('b', () => fired.push('b'));
  const c = clock.create('c', () => fired.push('c'));
  c.arm(10n);
  b.arm(20n);
  a.arm(20n);
  assert.equal(clock.next, 10n);
  clock.skipTo(1000n);
  assert.equal(clock.now, 10n, 'never past a deadline');
  clock.fireDue();
  clock.skipTo(20n);
  clock.fireDue();
  assert.deepEqual(fired, ['c', 'a', 'b']);
  assert.equal(clock.next, undefined);
});

test('a deadline in the past comes with the next tick, one beyond 2^63 never', () => {
  const clock = new VirtualClock(() => 0);
  clock.skipTo(100n);
  const timer = clock.create('t', () => undefined);
  timer.arm(5n);
  assert.equal(timer.deadline, 101n);
  timer.arm(1n << 63n);
  assert.equal(timer.deadline, undefined);
});

test('a timer that another one puts off at the same instant does not fire', () => {
  const clock = new VirtualClock(() => 0);
  const fired: string[] = [];
  const first = clock.create('first', () => {
    fired.push('first');
    second.arm(30n);
  });
  const second = clock.create('second', () => fired.push('second'));
  first.arm(10n);
  second.arm(10n);
  clock.skipTo(10n);
  clock.fireDue();
  assert.deepEqual(fired, ['first']);
  assert.equal(clock.next, 30n);
});

test('a timer that arms itself again fires once a call', () => {
  const clock = new VirtualClock(() => 0);
  let count = 0;
  const timer = clock.create('t', () => {
    count++;
    timer.arm(0n);
  });
  timer.arm(1n);
  clock.skipTo(1n);
  clock.fireDue();
  clock.fireDue();
  assert.equal(count, 1);
});

test('inside a run, time is what the vCPU has used; an earlier deadline ends the run', () => {
  let left = 1000;
  const clock = new VirtualClock(() => left);
  let ended = 0;
  clock.onEarlier = () => ended++;
  const timer = clock.create('t', () => undefined);
  clock.enterRun(1000n);
  left = 400;
  assert.equal(clock.now, 600n);
  timer.arm(2000n);
  assert.equal(ended, 0);
  timer.arm(700n);
  assert.equal(ended, 1);
  clock.leaveRun(650);
  assert.equal(clock.now, 650n);
});

test('a saved clock comes back with its deadlines', () => {
  const make = () => {
    const clock = new VirtualClock(() => 0);
    return { clock, timers: ['a', 'b'].map((name) => clock.create(name, () => undefined)) };
  };
  const first = make();
  first.clock.skipTo(7n);
  first.timers[1]?.arm(50n);
  const writer = new BufferWriter();
  first.clock.save(writer);
  const second = make();
  second.timers[0]?.arm(3n);
  second.clock.restore(new StateReader(writer.finish()));
  assert.equal(second.clock.now, 7n);
  assert.equal(second.clock.next, 50n);
  assert.equal(second.timers[0]?.deadline, undefined);
});
