/** Launch, restart, terminate and disconnect, in any order and at any moment. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { DebugProtocol as P } from '@vscode/debugprotocol';
import { createNodeAdapterHost } from '../../src/entry/node-adapter-host.ts';
import { Client, inProcess, RequestFailed } from './client.ts';
import { guest } from './story.ts';

const kernel = path.join(guest, 'smp.elf');
const launch = { kernel, machine: { cpus: 4, memory: '32M' }, stopOnEntry: true };

async function withClient(work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client(inProcess(createNodeAdapterHost()));
  try {
    await work(client);
  } finally {
    await client.close();
  }
}
/** A disk image and its lock, for as long as the work takes. */
async function withDisk(work: (file: string, locked: () => boolean) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'trapline-life-'));
  try {
    const file = path.join(folder, 'disk.img');
    writeFileSync(file, new Uint8Array(1 << 20));
    await work(file, () => existsSync(`${file}.trapline-lock`));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
const launchWith = (file: string): object => ({
  ...launch,
  machine: { ...launch.machine, disks: [{ file, writable: true }] },
});
/** How a request was answered: its error message, or an empty text. */
const outcome = (answer: Promise<unknown>): Promise<string> =>
  answer.then(
    () => '',
    (error: unknown) => {
      assert.ok(error instanceof RequestFailed);
      return error.message;
    },
  );
const count = (client: Client, event: string): number =>
  client.messages.filter((message) => message['event'] === event).length;
const threads = async (client: Client): Promise<number> =>
  (await client.request<P.ThreadsResponse['body']>('threads')).threads.length;

describe('D4: a launch that is overtaken', () => {
  it('by disconnect is given up, and its disk is free when disconnect is answered', () =>
    withDisk(async (file, locked) => {
      for (let moment = 0; moment < 8; moment++) {
        await withClient(async (client) => {
          const launched = outcome(client.request('launch', launchWith(file)));
          for (let turn = 0; turn < moment; turn++) await new Promise((resolve) => setImmediate(resolve));
          await client.request('disconnect');
          assert.equal(locked(), false, `disconnect ${moment} turns behind launch`);
          assert.match(await launched, /^$|given up/);
        });
      }
      await withClient(async (client) => {
        await client.request('launch', launchWith(file));
        assert.equal(locked(), true);
      });
      assert.equal(locked(), false);
    }));

  it('by a second launch is given up; the second one counts, and initialized comes once', () =>
    withDisk(async (file, locked) => {
      await withClient(async (client) => {
        const first = outcome(client.request('launch', launchWith(file)));
        const second = outcome(client.request('launch', { ...launchWith(file), machine: { cpus: 2 } }));
        assert.match(await first, /given up/);
        assert.equal(await second, '');
        assert.equal(count(client, 'initialized'), 1);
        assert.equal(await threads(client), 2);
        assert.equal(locked(), false, 'the first launch still has its disk');
        assert.match(await outcome(client.request('launch', launch)), /already/);
      });
    }));

  it('by one that is wrong goes on', () =>
    withClient(async (client) => {
      const first = outcome(client.request('launch', launch));
      assert.match(await outcome(client.request('launch', { kernel: 5 })), /kernel/);
      assert.equal(await first, '');
    }));

  it('may come again after one that failed', () =>
    withClient(async (client) => {
      assert.match(await outcome(client.request('launch', { ...launch, kernel: '/nowhere' })), /nowhere/);
      await client.launch(launch);
      await client.stopped();
    }));

  it('by terminate does not revive the session', () =>
    withClient(async (client) => {
      await client.launch(launch);
      await client.stopped();
      await client.request('terminate');
      await client.event('terminated');
      for (const command of ['launch', 'restart', 'configurationDone', 'threads', 'stackTrace', 'continue']) {
        const answer = await outcome(client.request(command, { ...launch, threadId: 1 }));
        if (command !== 'threads') assert.match(answer, /session is over/, command);
      }
      assert.equal(await outcome(client.request('terminate')), '');
      await client.request('disconnect');
      assert.equal(count(client, 'terminated'), 1);
    }));
});

describe('D6: restart', () => {
  const running = (client: Client): Promise<unknown> => client.stopped();

  it('takes its new arguments', () =>
    withClient(async (client) => {
      await client.launch(launch);
      await running(client);
      assert.equal(await threads(client), 4);
      await client.request('restart', { arguments: { ...launch, machine: { cpus: 2, memory: '64M' } } });
      await running(client);
      assert.equal(await threads(client), 2);
      const machine = await client.request<{ memory: number }>('trapline/machine');
      assert.equal(machine.memory, 64 << 20);
      // Without arguments the latest hold.
      await client.request('restart');
      await running(client);
      assert.equal(await threads(client), 2);
    }));

  it('leaves the old machine as it is when the new one cannot be made, and shows why', () =>
    withClient(async (client) => {
      await client.launch(launch);
      await running(client);
      const before = await client.request<object>('trapline/machine');
      for (const wrong of [{ kernel: '/nowhere/kernel' }, { kernel, machine: { cpus: 99 } }, { kernel, cpus: 2 }]) {
        const error = await client.request('restart', { arguments: wrong }).then(
          () => undefined,
          (reason: unknown) => reason,
        );
        assert.ok(error instanceof RequestFailed, JSON.stringify(wrong));
        assert.match(error.message, /kernel|cpus/);
        const { body } = error.response as { body?: { error?: { showUser?: boolean } } };
        assert.equal(body?.error?.showUser, true);
      }
      assert.deepEqual(await client.request('trapline/machine'), before);
      await client.request('stackTrace', { threadId: 1 });
    }));

  it('is answered in every state', () =>
    withClient(async (client) => {
      assert.match(await outcome(client.request('restart')), /launch request comes first/);
      const launched = client.request('launch', launch);
      assert.match(await outcome(client.request('restart')), /under way/);
      await launched;
      assert.match(await outcome(client.request('restart')), /configurationDone/);
      await client.request('configurationDone');
      await running(client);
      assert.equal(await outcome(client.request('restart')), '');
      await running(client);
      await client.request('continue', { threadId: 1 });
      assert.equal(await outcome(client.request('restart')), '');
      await running(client);
      // Twice at once: the later one counts.
      const answers = await Promise.all([outcome(client.request('restart')), outcome(client.request('restart'))]);
      assert.match(answers[0], /given up/);
      assert.equal(answers[1], '');
      await running(client);
      await client.request('continue', { threadId: 1 });
      await client.event('exited');
      assert.equal(await outcome(client.request('restart')), '');
      await running(client);
      assert.equal(count(client, 'terminated'), 1);
      assert.equal(count(client, 'exited'), 1);
      await client.request('terminate');
      await client.event('terminated');
    }));

  it('keeps breakpoints and their ids, with those that were asked for while the machine was made', () =>
    withClient(async (client) => {
      await client.launch(launch);
      await running(client);
      const set = (name: string): Promise<P.SetFunctionBreakpointsResponse['body']> =>
        client.request('setFunctionBreakpoints', { breakpoints: [{ name }] });
      await set('list_repair');
      const restarted = client.request('restart');
      const [asked] = (await set('worker_run')).breakpoints;
      await restarted;
      await running(client);
      await client.request('continue', { threadId: 1 });
      const { hitBreakpointIds } = await client.stopped();
      assert.deepEqual(hitBreakpointIds, [asked?.id]);
    }));
});

describe('the end', () => {
  it('of a guest is said once, whatever the client asks then', () =>
    withClient(async (client) => {
      await client.launch({ ...launch, stopOnEntry: false });
      await client.event('exited');
      await client.event('terminated');
      await client.request('terminate');
      await client.request('disconnect');
      assert.equal(count(client, 'terminated'), 1);
      assert.equal(count(client, 'exited'), 1);
    }));

  it('may be asked for twice at once', () =>
    withClient(async (client) => {
      await client.launch({ ...launch, stopOnEntry: false });
      await Promise.all([client.request('terminate'), client.request('disconnect'), client.request('disconnect')]);
      assert.ok(count(client, 'terminated') <= 1);
    }));

  it('is not promised to leave the guest alive', () =>
    withClient(async (client) => {
      const offered = await client.request<P.Capabilities>('initialize', { adapterID: 'trapline' });
      assert.equal(offered.supportTerminateDebuggee, undefined);
      assert.equal(offered.supportSuspendDebuggee, undefined);
    }));
});

it('a pause that comes while the entry point is looked up stops the guest before its first instruction', () =>
  withClient(async (client) => {
    await client.request('launch', { ...launch, stopOnEntry: 'worker_run' });
    const answers = [client.request('configurationDone'), client.request('pause', { threadId: 1 })];
    await Promise.all(answers);
    const { reason, text } = await client.stopped();
    assert.equal(reason, 'pause');
    assert.match(text ?? '', /before its first instruction/);
    // It was for this stop alone: the guest goes on, and is not paused again.
    await client.request('continue', { threadId: 1 });
    await client.event('exited');
  }));
