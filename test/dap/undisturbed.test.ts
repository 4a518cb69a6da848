/** A debugger that is used hard must not be noticed: same status, same output, same digest (DESIGN 3). */
import assert from 'node:assert/strict';
import path from 'node:path';
import { it } from 'node:test';
import type { DebugProtocol as P } from '@vscode/debugprotocol';
import type { AdapterHost } from '../../src/dap/host.ts';
import { fromBase64 } from '../../src/dap/serial.ts';
import { createNodeAdapterHost } from '../../src/entry/node-adapter-host.ts';
import type { MachineApi } from '../../src/machine/api.ts';
import { Client, inProcess } from './client.ts';
import { guest } from './story.ts';

const STEPS = 1000;
const launch = {
  kernel: path.join(guest, 'smp.elf'),
  machine: { cpus: 4, memory: '32M' },
  __trapline: true,
};

interface Run {
  readonly status: number;
  readonly output: string;
  readonly digest: string;
}

/** Plays a session and says how the guest ended. */
async function play(
  session: (client: Client) => Promise<void>,
  configure?: (client: Client) => Promise<void>,
): Promise<Run> {
  const node = createNodeAdapterHost();
  const machines: MachineApi[] = [];
  const host: AdapterHost = {
    ...node,
    createGuest: async (configuration, scope) => {
      const made = await node.createGuest(configuration, scope);
      machines.push(made.machine);
      return made;
    },
  };
  const client = new Client(inProcess(host));
  let output = '';
  client.onMessage = (_direction, message) => {
    const { event, body } = message as { event?: string; body?: { data?: string } };
    if (event === 'trapline/serial') output += Buffer.from(fromBase64(body?.data ?? '') ?? []).toString('latin1');
  };
  await client.launch(launch, () => configure?.(client) ?? Promise.resolve());
  await session(client);
  const { exitCode } = await client.event<P.ExitedEvent['body']>('exited');
  const digest = machines[0]?.digest() ?? '';
  await client.close();
  node.dispose();
  return { status: exitCode, output, digest };
}

it(`8 breakpoints, 4 slots and ${STEPS} steps leave status, output and digest as they were`, async () => {
  const alone = await play(() => Promise.resolve());
  assert.equal(alone.status, 85);

  let hits = 0;
  let steps = 0;
  const watched = await play(
    async (client) => {
      const commands = ['next', 'stepIn', 'next', 'stepIn', 'stepOut'];
      let stop = await client.stopped();
      while (steps < STEPS) {
        const { threadId } = stop;
        const instruction = steps % 3 === 0 ? { granularity: 'instruction' } : {};
        const command = commands[steps % commands.length] ?? 'next';
        // What the user looks at must not matter either.
        if (steps % 10 === 0) {
          const { stackFrames } = await client.request<P.StackTraceResponse['body']>('stackTrace', { threadId });
          const { scopes } = await client.request<P.ScopesResponse['body']>('scopes', { frameId: stackFrames[0]?.id });
          for (const { variablesReference } of scopes) await client.request('variables', { variablesReference });
        }
        const going =
          steps % 25 === 24
            ? client.request('continue', { threadId })
            : client.request(command, { threadId, ...instruction });
        await going.catch(() => client.request('stepIn', { threadId, granularity: 'instruction' }));
        stop = await client.stopped();
        if (stop.reason !== 'step') hits++;
        steps++;
      }
      await client.request('setDataBreakpoints', { breakpoints: [] });
      await client.request('setFunctionBreakpoints', { breakpoints: [] });
      await client.request('continue', { threadId: stop.threadId });
    },
    async (client) => {
      const names = [
        'list_insert',
        'list_remove',
        'node_seal',
        'take_sample',
        'store_patient',
        'on_fault',
        'trap_dispatch',
        'self_debug_round',
      ];
      const set = await client.request<P.SetFunctionBreakpointsResponse['body']>('setFunctionBreakpoints', {
        breakpoints: names.map((name) => ({
          name,
          ...(name === 'trap_dispatch' ? { condition: 'frame->vector == 1' } : {}),
        })),
      });
      assert.ok(
        set.breakpoints.every(({ verified }) => verified),
        JSON.stringify(set.breakpoints),
      );
      const breakpoints = [];
      for (const name of ['shared_list.magic', 'shared_list.count', 'shared_list.head', 'shared_list.tail']) {
        const info = await client.request<P.DataBreakpointInfoResponse['body']>('dataBreakpointInfo', { name });
        breakpoints.push({ dataId: info.dataId, accessType: name.endsWith('magic') ? 'readWrite' : 'write' });
      }
      const data = await client.request<P.SetDataBreakpointsResponse['body']>('setDataBreakpoints', { breakpoints });
      assert.ok(
        data.breakpoints.every(({ verified }) => verified),
        JSON.stringify(data.breakpoints),
      );
    },
  );
  assert.equal(steps, STEPS);
  assert.ok(hits > 20, `only ${hits} stops had another reason than a step`);
  assert.equal(watched.status, alone.status);
  assert.equal(watched.output, alone.output);
  assert.equal(watched.digest, alone.digest);
});
