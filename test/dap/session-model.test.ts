/**
 * The session against its table: requests in any order, with every await of the host (files, machines, symbols, slices of the
 * guest) let go in an order that fast-check chooses, so that each can be overtaken by each. TRAPLINE_MODEL_RUNS: how many.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { env } from 'node:process';
import { it } from 'node:test';
import * as fc from 'fast-check';
import type { AdapterHost } from '../../src/dap/host.ts';
import { createNodeAdapterHost } from '../../src/entry/node-adapter-host.ts';
import { Client, inProcess, RequestFailed } from './client.ts';
import { guest } from './story.ts';

const runs = Number(env['TRAPLINE_MODEL_RUNS'] ?? 60);
const kernel = path.join(guest, 'smp.elf');
const launch = (cpus: number): object => ({ kernel, machine: { cpus, memory: '16M' }, stopOnEntry: true });

const requests: Readonly<Record<string, readonly [string, object]>> = {
  launch: ['launch', launch(1)],
  'second launch': ['launch', launch(2)],
  'bad launch': ['launch', { kernel: '/nowhere' }],
  configurationDone: ['configurationDone', {}],
  restart: ['restart', {}],
  'restart with arguments': ['restart', { arguments: launch(2) }],
  'bad restart': ['restart', { arguments: { kernel: '/nowhere' } }],
  continue: ['continue', { threadId: 1 }],
  step: ['next', { threadId: 1 }],
  pause: ['pause', { threadId: 1 }],
  breakpoint: ['setFunctionBreakpoints', { breakpoints: [{ name: 'worker_run' }] }],
  terminate: ['terminate', {}],
  disconnect: ['disconnect', {}],
};

it(`${runs} sessions whose awaits are let go in any order leave nothing, and answer everything`, async () => {
  const request = fc.record({ name: fc.constantFrom(...Object.keys(requests)), patient: fc.boolean() });
  const order = fc.array(request, { minLength: 1, maxLength: 7 });
  const beginning = fc.constantFrom([], ['launch'], ['launch', 'configurationDone']);
  let launched = 0;
  await fc.assert(
    fc.asyncProperty(beginning, order, fc.boolean(), fc.scheduler(), async (first, rest, leaves, scheduler) => {
      const node = createNodeAdapterHost();
      const turn = (label: string): Promise<void> => scheduler.schedule(Promise.resolve(), label);
      let held = 0;
      const host: AdapterHost = {
        ...node,
        createGuest: async (configuration, scope) => {
          await turn('files are read');
          held++;
          scope.hold('what the machine holds', held, async () => {
            await turn('a machine lets go');
            held--;
          });
          const made = await node.createGuest(configuration, scope);
          await turn('a machine is there');
          return made;
        },
        symbols: {
          open: async (source, name) => {
            const file = await node.symbols.open(source, name);
            await turn('symbols are read');
            held++;
            return { ...file, close: () => file.close().then(() => void held--) };
          },
          dispose: () => node.symbols.dispose(),
        },
        scheduler: { ...node.scheduler, yield: () => turn('a slice') },
      };
      const client = new Client(inProcess(host));
      const ask = async (name: string, patient: boolean): Promise<void> => {
        await turn(name);
        const [command, argument] = requests[name] ?? assert.fail(name);
        const answer = client.request(command, argument).catch((error: unknown) => {
          assert.ok(error instanceof RequestFailed);
          assert.ok(!error.message.includes('Internal error'), `${name}: ${error.message}`);
        });
        asked.push(answer);
        if (patient) await answer;
      };
      const asked: Promise<unknown>[] = [];
      const play = async (): Promise<void> => {
        for (const name of first) await ask(name, true);
        for (const { name, patient } of rest) await ask(name, patient);
        // The stream may end while some are not answered yet.
        if (leaves) await client.close();
        await Promise.all(asked);
      };
      await scheduler.waitFor(play());
      await scheduler.waitFor(client.close());
      assert.equal(held, 0, 'something is still held');
      const events = (name: string): number => client.messages.filter(({ event }) => event === name).length;
      const answered = (command: string): number =>
        client.messages.filter((message) => message['command'] === command && message['success'] === true).length;
      assert.ok(answered('launch') <= 1, 'one session debugs one guest');
      assert.ok(events('initialized') <= answered('launch'));
      assert.ok(events('terminated') <= 1 + answered('restart'));
      launched += answered('launch');
      const late = await client.request('launch', launch(1)).catch((error: unknown) => error);
      assert.ok(late instanceof RequestFailed && late.message.includes('session is over'));
    }),
    { numRuns: runs },
  );
  assert.ok(launched >= runs / 3, `only ${launched} of ${runs} sessions were launched`);
});
