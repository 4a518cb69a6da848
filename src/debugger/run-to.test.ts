import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BreakpointRequest, GuestDebugApi, SetResult, StopRecord } from '../guestdebug/api.ts';
import { RunToAddresses } from './run-to.ts';

test("a breakpoint of the user's at the target is the better reason to stop", async () => {
  let next = 10;
  const removed: number[] = [];
  let stoppers: readonly number[] = [];
  const api: Pick<GuestDebugApi, 'set' | 'remove' | 'stoppers'> = {
    set: ({ linear }: BreakpointRequest): SetResult => ({
      verified: true,
      id: ++next,
      placement: { kind: 'overlay', addresses: [linear].flat() as bigint[] },
    }),
    remove: (id) => void removed.push(id),
    stoppers: () => stoppers,
  };
  const plan = new RunToAddresses(api as GuestDebugApi, [0x1000n, 0x2000n]);
  await plan.start();
  const record = { kind: 'bp', vcpu: 2 } as StopRecord;
  stoppers = [11];
  assert.deepEqual(await plan.stopped(record), { kind: 'done', vcpu: 2 });
  stoppers = [1, 11];
  assert.deepEqual(await plan.stopped(record), { kind: 'report' });
  stoppers = [];
  assert.deepEqual(await plan.stopped(record), { kind: 'report' });
  plan.dispose();
  assert.deepEqual(removed, [11, 12]);
});
