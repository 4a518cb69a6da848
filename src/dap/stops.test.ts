import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { VcpuStatus } from '../guestdebug/api.ts';
import { BADGE_LIMIT } from '../words/stops.ts';
import { fromBundle } from '../words/translate.ts';
import { NAME_LIMIT, stoppedEvents, threadName } from './stops.ts';

const status = (vcpu: number, activity: VcpuStatus['activity']): VcpuStatus => ({
  vcpu,
  state: 'parked',
  activity,
  pc: 0n,
  cpl: 0,
  mode: 'long',
});

describe('stopped events', () => {
  const statuses = [status(0, 'halted'), status(1, 'active'), status(2, 'active')];
  const events = stoppedEvents(
    statuses,
    { vcpu: 1, reason: 'breakpoint', badge: 'a badge that is too long', hitBreakpointIds: [7] },
    true,
  );

  it('begin with the focused thread, which alone says that all have stopped', () => {
    assert.deepEqual(
      events.map(({ threadId, allThreadsStopped, preserveFocusHint }) => [
        threadId,
        allThreadsStopped,
        preserveFocusHint ?? false,
      ]),
      [
        [2, true, false],
        [1, false, true],
        [3, false, true],
      ],
    );
    assert.deepEqual(events[0]?.hitBreakpointIds, [7]);
  });
  it('give every thread a reason of its own, short enough for a badge', () => {
    assert.deepEqual(
      events.map(({ description }) => description),
      ['a badge tha…', 'halted', 'parked'],
    );
    for (const { description } of events) assert.ok((description ?? '').length <= BADGE_LIMIT);
  });
  it('speak the language of the session', () => {
    const t = fromBundle({ parked: 'geparkt', 'vCPU {vcpu} is {doing} at {at}.': 'vCPU {vcpu}: {doing}, bei {at}.' });
    const [, event] = stoppedEvents(
      [status(0, 'active'), status(1, 'active')],
      { vcpu: 0, reason: 'pause' },
      true,
      undefined,
      t,
    );
    assert.deepEqual([event?.description, event?.text], ['geparkt', 'vCPU 1: geparkt, bei 0x0.']);
  });
});

describe('thread names', () => {
  it('have the number first and fit beside a badge', () => {
    assert.equal(threadName({ vcpu: 1, cpl: 0, mode: 'long', activity: 'active' }, 'idle'), 'vCPU 1 · r0 · idle');
    assert.equal(threadName({ vcpu: 1, cpl: 3, mode: 'long', activity: 'active' }, undefined), 'vCPU 1 · r3');
    assert.equal(threadName({ vcpu: 1, cpl: 0, mode: 'real', activity: 'waitSipi' }, 'x'), 'vCPU 1');
    const long = threadName({ vcpu: 15, cpl: 0, mode: 'long', activity: 'halted' }, 'a_function_with_a_long_name');
    assert.ok(long.length <= NAME_LIMIT && long.startsWith('vCPU 15 · r0 · a_fun'), long);
  });
});
