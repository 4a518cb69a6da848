import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GuestDebugApi, Resume, SliceResult, StopRecord } from '../guestdebug/api.ts';
import { Execution, type Backlog } from './execution.ts';
import type { Plan } from './plan.ts';
import { continuePlan } from './plan.ts';

const record = (kind: StopRecord['kind'], vcpu = 0): StopRecord => ({
  sequence: 1,
  vcpu,
  kind,
  exception: 0,
  pc: 0n,
  faultLike: false,
  causePc: 0n,
  instructionLength: 0,
  dr6: 0n,
  dr7: 0n,
  guestDr6: 0n,
  guestDr7: 0n,
  guestPending: 0,
  shadow: 'none',
  causes: [],
  activity: 'active',
  heldEvents: { nmi: false, smi: false, interrupt: false },
  alsoPending: [],
});
const ending = { kind: 'exit', value: 42, status: 85 } as const;
const stopped = (kind: StopRecord['kind'], vcpu = 0): SliceResult => ({
  kind: 'stopped',
  reporter: record(kind, vcpu),
});

/** What nobody has read yet, filled and emptied by the test. */
class FakeBacklog implements Backlog {
  full = false;
  waits = 0;
  private resolve: () => void = () => undefined;
  changed(): Promise<void> {
    this.waits++;
    return new Promise((resolve) => (this.resolve = resolve));
  }
  wake(): void {
    this.resolve();
  }
}

/** Plays back what the guest-debug layer answers, one slice after the other. */
function setUp(results: SliceResult[]) {
  const said: string[] = [];
  const api = {
    stopped: true,
    reporter: undefined as StopRecord | undefined,
    resume(how: Resume) {
      said.push(how.kind);
      return api.next();
    },
    runSlice: () => api.next(),
    pause() {
      said.push('pause');
      results.unshift(stopped('pause'));
    },
    next(): SliceResult {
      const result = results.shift() ?? { kind: 'running' };
      api.stopped = result.kind === 'stopped';
      if (result.kind === 'stopped') api.reporter = result.reporter;
      return result;
    },
  };
  const scheduler = {
    yields: 0,
    idleJumps: true,
    onYield: () => undefined as void,
    yield: () => (scheduler.yields++, scheduler.onYield(), Promise.resolve()),
    idle: () => scheduler.yield(),
    backlog: new FakeBacklog(),
  };
  // The rest of the interface is not used by the run loop.
  const execution = new Execution(api as unknown as GuestDebugApi, scheduler);
  return { execution, scheduler, said };
}

describe('the run loop', () => {
  it('lets messages in between slices and reports what stops', async () => {
    const { execution, scheduler } = setUp([
      { kind: 'running' },
      { kind: 'running' },
      { kind: 'idle' },
      stopped('bp', 2),
    ]);
    const outcome = await execution.run(continuePlan);
    assert.ok(outcome.kind === 'stopped' && outcome.record.vcpu === 2);
    assert.equal(scheduler.yields, 2);
    assert.equal(execution.running, false);
  });
  it('ends with the machine', async () => {
    const { execution } = setUp([{ kind: 'ended', status: 85, ending }]);
    assert.deepEqual(await execution.run(continuePlan), { kind: 'ended', status: 85, ending });
  });
  it('is left at the next slice by a client that is gone', async () => {
    const { execution, scheduler } = setUp([]);
    scheduler.onYield = () => {
      if (scheduler.yields === 3) execution.abandon();
    };
    assert.deepEqual(await execution.run(continuePlan), { kind: 'abandoned' });
  });
  it('pauses while the guest runs', async () => {
    const { execution, scheduler, said } = setUp([]);
    scheduler.onYield = () => {
      if (scheduler.yields === 2) execution.pause();
    };
    const outcome = await execution.run(continuePlan);
    assert.ok(outcome.kind === 'stopped' && outcome.record.kind === 'pause');
    assert.ok(said.includes('pause'));
  });
  it('waits while nobody reads, and goes on when somebody does', async () => {
    const { execution, scheduler } = setUp([]);
    const { backlog } = scheduler;
    scheduler.onYield = () => {
      backlog.full = scheduler.yields === 2;
      if (scheduler.yields === 5) execution.abandon();
    };
    const ended = execution.run(continuePlan);
    while (backlog.waits < 3) {
      await new Promise((resolve) => setImmediate(resolve));
      assert.equal(scheduler.yields <= 2, true, 'no slice while it is full');
      backlog.wake(); // something was read, but not enough
    }
    assert.equal(scheduler.yields, 2);
    backlog.full = false;
    backlog.wake();
    assert.deepEqual(await ended, { kind: 'abandoned' });
    assert.equal(scheduler.yields, 5);
  });
  for (const how of ['pause', 'abandon'] as const) {
    it(`hears ${how} also while nobody reads`, async () => {
      const { execution, scheduler } = setUp([]);
      scheduler.backlog.full = true;
      const ended = execution.run(continuePlan);
      while (scheduler.backlog.waits === 0) await new Promise((resolve) => setImmediate(resolve));
      execution[how]();
      assert.equal((await ended).kind, how === 'pause' ? 'stopped' : 'abandoned');
    });
  }
  it('pauses a step between two of its own stops, and always takes the plan down', async () => {
    let disposed = 0;
    const endless: Plan = {
      start: () => Promise.resolve({ kind: 'resume', how: { kind: 'step', vcpu: 1, mode: 'insn' } }),
      stopped: () => endless.start(),
      dispose: () => void disposed++,
    };
    const { execution, scheduler } = setUp(Array.from({ length: 1000 }, () => stopped('step', 1)));
    scheduler.onYield = () => execution.pause();
    assert.deepEqual(await execution.run(endless), { kind: 'paused', vcpu: 1 });
    assert.equal(disposed, 1);
  });
  it('acknowledges an event before it goes on', async () => {
    const { execution, said } = setUp([stopped('bp', 3), stopped('bp', 3)]);
    await execution.run(continuePlan);
    await execution.run(continuePlan);
    assert.deepEqual(said, ['continue', 'continue']);
  });
});
