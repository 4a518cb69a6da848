import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { Overtaken, Starts } from './starts.ts';

const noFault = (what: string, error: unknown): void => assert.fail(`${what}: ${String(error)}`);

describe('starts', () => {
  it('one at a time, the latest wins, and every other has released what it had', async () => {
    // Each start takes three things with an await before each; some fail on the way; aborts come in between.
    const plan = fc.array(fc.constantFrom('start', 'failing start', 'abort'), { minLength: 1, maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(plan, fc.scheduler(), async (actions, scheduler) => {
        const starts = new Starts(noFault);
        const held = new Set<string>();
        let underWay = 0;
        const adopted: string[] = [];
        const turn = (label: string): Promise<void> => scheduler.schedule(Promise.resolve(), label);
        const act = async (action: string, index: number): Promise<void> => {
          await turn(`action ${index}`);
          if (action === 'abort') {
            await starts.abort();
            return;
          }
          const name = `start ${index}`;
          await starts
            .begin(
              async (scope) => {
                assert.equal(++underWay, 1, 'two starts at once');
                try {
                  for (const part of ['disk', 'symbols', 'run']) {
                    await turn(`${name} takes ${part}`);
                    if (action === 'failing start' && part === 'run') throw new RangeError(name);
                    const key = `${name} ${part}`;
                    held.add(key);
                    scope.hold(key, key, async () => {
                      await turn(`${key} is released`);
                      assert.ok(held.delete(key), `${key} was released twice`);
                    });
                  }
                  await turn(`${name} has all, and looks up a name`);
                } finally {
                  underWay--;
                }
                return name;
              },
              (made) => adopted.push(made),
            )
            .catch((error: unknown) => assert.ok(error instanceof Overtaken || error instanceof RangeError));
        };
        await scheduler.waitFor(Promise.all(actions.map(act)));
        // What is held belongs to starts that were adopted; nothing of the others is left.
        const expected = adopted.flatMap((name) => ['disk', 'symbols', 'run'].map((part) => `${name} ${part}`));
        assert.deepEqual([...held].sort(), expected.sort());
      }),
    );
  });

  it('answers at once that there is nothing to abort', async () => {
    await new Starts(noFault).abort();
  });
});
