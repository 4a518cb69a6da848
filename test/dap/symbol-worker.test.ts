/** D11: the symbol worker may die at any moment, of anything; the session lives. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { DebugProtocol as P } from '@vscode/debugprotocol';
import { createNodeAdapterHost } from '../../src/entry/node-adapter-host.ts';
import { Client, inProcess } from './client.ts';
import { guest } from './story.ts';

const script = new URL('./workers/mortal-symbols.mjs', import.meta.url);
const launch = { kernel: path.join(guest, 'smp.elf'), machine: { cpus: 2, memory: '32M' }, stopOnEntry: true };

async function withClient(work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client(inProcess(createNodeAdapterHost({ script, heap: 128 })));
  // A symbol worker alone does not keep a process alive; an adapter has its client for that.
  const alive = setInterval(() => undefined, 1000);
  try {
    await client.launch(launch);
    await client.stopped();
    await work(client);
  } finally {
    await client.close();
    clearInterval(alive);
  }
}
const breakAt = async (client: Client, name: string): Promise<P.Breakpoint | undefined> =>
  (
    await client.request<P.SetFunctionBreakpointsResponse['body']>('setFunctionBreakpoints', {
      breakpoints: [{ name }],
    })
  ).breakpoints[0];
const said = (client: Client): string[] =>
  client.messages.flatMap(({ event, body }) => {
    const { category, output } = (body ?? {}) as Partial<P.OutputEvent['body']>;
    return event === 'output' && category === 'important' && output?.includes('symbol worker') === true ? [output] : [];
  });
const topFrame = async (client: Client): Promise<P.StackFrame | undefined> =>
  (await client.request<P.StackTraceResponse['body']>('stackTrace', { threadId: 1 })).stackFrames[0];

describe('D11: the symbol worker dies', () => {
  for (const [death, reason] of [
    ['exit', /status 3/],
    ['throw', /a mistake of the worker/],
    ['reject', /a promise of the worker/],
    ['memory', /out of memory/],
  ] as const) {
    it(`of ${death}: what was asked is refused, one sentence says so, and the next worker knows the names again`, () =>
      withClient(async (client) => {
        const refused = await breakAt(client, death);
        assert.equal(refused?.verified, false);
        assert.match(refused?.message ?? '', /worker/, JSON.stringify(said(client)));
        assert.equal(said(client).length, 1);
        assert.match(said(client)[0] ?? '', reason);
        assert.match(said(client)[0] ?? '', /started again/);
        assert.equal((await breakAt(client, 'worker_run'))?.verified, true);
        await client.request('continue', { threadId: 1 });
        const { threadId } = await client.stopped();
        const { stackFrames } = await client.request<P.StackTraceResponse['body']>('stackTrace', { threadId });
        assert.equal(stackFrames[0]?.name, 'worker_run');
        assert.equal(stackFrames[0]?.source?.name, 'worker.c');
      }));
  }

  it('twice: names are lost, machine code can still be debugged, and restart answers', () =>
    withClient(async (client) => {
      await breakAt(client, 'exit');
      await breakAt(client, 'exit');
      assert.equal(said(client).length, 2);
      assert.match(said(client)[1] ?? '', /not known any more/);
      const refused = await breakAt(client, 'worker_run');
      assert.equal(refused?.verified, false);
      assert.match(refused?.message ?? '', /status 3/);
      await client.request('stepIn', { threadId: 1, granularity: 'instruction' });
      await client.stopped();
      await client.request('next', { threadId: 1 });
      await client.stopped();
      const frame = await topFrame(client);
      assert.ok((frame?.source?.sourceReference ?? 0) > 0, 'the frame shows a listing');
      assert.match((await client.request<{ result: string }>('evaluate', { expression: '$rip' })).result, /10/);
      await client.request('restart');
      await client.stopped();
      await client.request('continue', { threadId: 1 });
      await client.event('exited');
    }));

  it('while everything is asked at once: every request is answered', () =>
    withClient(async (client) => {
      const answers = ['worker_run', 'exit', 'list_repair', 'memory'].map((name) => breakAt(client, name));
      const others = ['stackTrace', 'threads', 'loadedSources', 'modules', 'trapline/machine'].map((command) =>
        client.request(command, { threadId: 1 }),
      );
      await Promise.allSettled([...answers, ...others]);
      await topFrame(client);
    }));

  it('while the guest runs and stops: the stop is told', () =>
    withClient(async (client) => {
      await breakAt(client, 'list_repair');
      await client.request('continue', { threadId: 1 });
      const dying = breakAt(client, 'exit');
      const stopped = Promise.race([client.stopped(), client.event('exited')]);
      await Promise.all([dying, stopped]);
    }));
});
