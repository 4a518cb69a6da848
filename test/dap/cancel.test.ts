/** `cancel` ends what is under way, and what takes long shows its progress. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { DebugProtocol as P } from '@vscode/debugprotocol';
import type { AdapterHost } from '../../src/dap/host.ts';
import { createNodeAdapterHost } from '../../src/entry/node-adapter-host.ts';
import { Client, inProcess, RequestFailed } from './client.ts';
import { guest } from './story.ts';

const launch = { kernel: path.join(guest, 'smp.elf'), machine: { cpus: 2, memory: '16M' }, stopOnEntry: true };

/** A host whose clock goes as fast as the test says, and whose symbol files open when it says. */
function slowHost(): { host: AdapterHost; opening: Promise<void>; open(): void } {
  const real = createNodeAdapterHost();
  let open = (): void => undefined;
  let begun = (): void => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const opening = new Promise<void>((resolve) => (begun = resolve));
  let now = 0;
  const host: AdapterHost = {
    ...real,
    // Each look at the clock is 10 ms later, each yield 30 ms: slowness does not depend on this machine.
    now: () => (now += 10),
    scheduler: {
      yield: async () => {
        now += 30;
        await real.scheduler.yield();
      },
      wait: async (milliseconds) => {
        now += milliseconds;
        await real.scheduler.yield();
      },
    },
    symbols: {
      ...real.symbols,
      async open(source, name) {
        begun();
        await gate;
        return real.symbols.open(source, name);
      },
    },
  };
  return { host, opening, open };
}
const isCancelled = (error: unknown): boolean =>
  error instanceof RequestFailed && error.message === 'cancelled' && error.response.body === undefined;

describe('cancel', () => {
  it('ends a launch while symbols are read; the next launch works', async () => {
    const { host, opening, open } = slowHost();
    const client = new Client(inProcess(host));
    await client.request('initialize', { adapterID: 'x' });
    const launching = assert.rejects(client.request('launch', launch), isCancelled);
    await opening;
    await client.request('cancel', { requestId: 2 });
    await launching;
    open();
    await client.request('launch', launch);
    await client.event('initialized');
    await client.request('configurationDone');
    await client.stopped();
    await client.close();
  });

  for (const [command, argument] of [
    ['setFunctionBreakpoints', { breakpoints: [{ name: '*' }, { name: 'l*' }] }],
    ['loadedSources', {}],
    ['disassemble', { memoryReference: '0x100000', instructionCount: 5000 }],
  ] as const) {
    it(`ends ${command}`, async () => {
      const { host, open } = slowHost();
      open();
      const client = new Client(inProcess(host));
      await client.launch(launch);
      await client.stopped();
      const sent = client.messages.length;
      const answer = assert.rejects(client.request(command, argument), isCancelled);
      // The fifth request of this client; cancel is read while it breathes.
      await client.request('cancel', { requestId: 4 });
      await answer;
      assert.ok(client.messages.length > sent);
      // What was cancelled changed nothing and can be asked again.
      await client.request(command, argument);
      await client.close();
    });
  }

  it('of what is answered, or never was, changes nothing', async () => {
    const client = new Client(inProcess(createNodeAdapterHost()));
    await client.request('initialize', { adapterID: 'x' });
    for (const argument of [{ requestId: 1 }, { requestId: 99 }, { progressId: 'x' }, {}])
      await client.request('cancel', argument);
    await client.close();
  });
});

describe('progress', () => {
  it('is shown for a launch that takes long, can be cancelled by its id, and ends', async () => {
    const { host, open } = slowHost();
    const client = new Client(inProcess(host));
    await client.request('initialize', { adapterID: 'x', supportsProgressReporting: true });
    const launching = assert.rejects(client.request('launch', launch), isCancelled);
    const { progressId, title, cancellable, requestId } =
      await client.event<P.ProgressStartEvent['body']>('progressStart');
    assert.deepEqual([title, cancellable, requestId], ['Powering the guest on', true, 2]);
    assert.equal((await client.event<P.ProgressUpdateEvent['body']>('progressUpdate')).progressId, progressId);
    await client.request('cancel', { progressId });
    await launching;
    assert.equal((await client.event<P.ProgressEndEvent['body']>('progressEnd')).progressId, progressId);
    open();
    await client.close();
  });

  it('is not sent to a client that shows none', async () => {
    const { host, opening, open } = slowHost();
    const client = new Client(inProcess(host));
    await client.request('initialize', { adapterID: 'x' });
    const launching = client.request('launch', launch);
    await opening;
    for (let i = 0; i < 20; i++) await host.scheduler.wait(100);
    open();
    await launching;
    assert.ok(!client.messages.some(({ event }) => String(event).startsWith('progress')));
    await client.close();
  });
});
