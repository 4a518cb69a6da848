import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { ResourceScope, ScopeOver } from './resource-scope.ts';

const noFault = (what: string, error: unknown): void => assert.fail(`${what}: ${String(error)}`);

describe('a scope', () => {
  it('releases in reverse order, each after the one before is gone', async () => {
    const scope = new ResourceScope(noFault);
    const seen: string[] = [];
    for (const name of ['a', 'b', 'c']) {
      scope.hold(name, name, async () => {
        seen.push(`${name} begins`);
        await new Promise((resolve) => setImmediate(resolve));
        seen.push(`${name} is gone`);
      });
    }
    await Promise.all([scope.release(), scope.release()]);
    assert.deepEqual(seen, ['c begins', 'c is gone', 'b begins', 'b is gone', 'a begins', 'a is gone']);
    assert.deepEqual(scope.contents, []);
  });

  it('releases at once what comes too late, and says so to whoever took it', async () => {
    const scope = new ResourceScope(noFault);
    await scope.release();
    let released = 0;
    assert.throws(() => scope.hold('late', 1, () => void released++), ScopeOver);
    await scope.release();
    assert.equal(released, 1);
    assert.throws(() => scope.check('anything'), ScopeOver);
  });

  it('releases the others when one cannot be, and reports it', async () => {
    const faults: string[] = [];
    const seen: string[] = [];
    const scope = new ResourceScope((what, error) => faults.push(`${what}: ${String(error)}`));
    scope.hold('first', 0, () => void seen.push('first'));
    scope.hold('second', 0, () => {
      throw new Error('stuck');
    });
    scope.hold('third', 0, () => Promise.reject(new Error('late')));
    await scope.release();
    assert.deepEqual(seen, ['first']);
    assert.deepEqual(faults, ['third: Error: late', 'second: Error: stuck']);
  });

  it('releases each exactly once, whenever the end comes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(12), fc.nat(12), fc.scheduler(), async (total, endAfter, scheduler) => {
        const scope = new ResourceScope(noFault);
        const counts = Array.from({ length: total }, () => 0);
        const take = async (index: number): Promise<void> => {
          await scheduler.schedule(Promise.resolve(), `take ${index}`);
          try {
            scope.hold(`${index}`, index, async (one) => {
              await scheduler.schedule(Promise.resolve(), `release ${index}`);
              counts[one] = (counts[one] ?? 0) + 1;
            });
          } catch (error) {
            assert.ok(error instanceof ScopeOver);
          }
        };
        const takers = counts.map((_, index) => take(index));
        for (let step = 0; step < endAfter && scheduler.count() > 0; step++) await scheduler.waitOne();
        const ended = scope.release();
        await scheduler.waitFor(Promise.all([...takers, ended]));
        await scheduler.waitFor(scope.release());
        assert.deepEqual(
          counts,
          counts.map(() => 1),
        );
      }),
    );
  });
});
