/** Everything can be set while the guest runs, and a pause gets through wherever the guest is. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { DebugProtocol as P } from '@vscode/debugprotocol';
import type { MachineBody } from '../../src/dap/custom.ts';
import { createNodeAdapterHost } from '../../src/entry/node-adapter-host.ts';
import { Client, inProcess } from './client.ts';
import { guest } from './story.ts';

const kernel = path.join(guest, 'smp.elf');
const launch = { kernel, machine: { cpus: 4, memory: '32M' } };
const entry = '0x10000c';

async function withClient(work: (client: Client) => Promise<void>): Promise<void> {
  const host = createNodeAdapterHost();
  const client = new Client(inProcess(host));
  try {
    await work(client);
  } finally {
    await client.close();
    host.dispose();
  }
}
/** Overwrites the kernel's first instructions and lets it run into them. */
async function runCode(client: Client, code: readonly number[]): Promise<void> {
  await client.launch({ ...launch, stopOnEntry: true });
  await client.stopped();
  const data = Buffer.from(Uint8Array.from(code)).toString('base64');
  await client.request('writeMemory', { memoryReference: entry, data });
  await client.request('continue', { threadId: 1 });
  await moments(5);
}
const moments = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setTimeout(resolve, 1));
};
const JUMP_TO_ITSELF = [0xeb, 0xfe];
const HALT_FOR_EVER = [0xf4, 0xeb, 0xfd];

describe('while the guest runs', () => {
  it('breakpoints of every kind are set without a stop that can be seen', () =>
    withClient(async (client) => {
      await runCode(client, JUMP_TO_ITSELF);
      const seen = client.messages.length;
      const source = { path: path.join(guest, 'worker.c') };
      const lines = await client.request<P.SetBreakpointsResponse['body']>('setBreakpoints', {
        source,
        breakpoints: [{ line: 79, condition: 'worker->cpu == 1' }],
      });
      const functions = await client.request<P.SetFunctionBreakpointsResponse['body']>('setFunctionBreakpoints', {
        breakpoints: [{ name: 'list_repair' }],
      });
      const code = await client.request<P.SetInstructionBreakpointsResponse['body']>('setInstructionBreakpoints', {
        breakpoints: [{ instructionReference: entry, offset: 0x40 }],
      });
      const info = await client.request<P.DataBreakpointInfoResponse['body']>('dataBreakpointInfo', {
        name: 'shared_list.magic',
      });
      const data = await client.request<P.SetDataBreakpointsResponse['body']>('setDataBreakpoints', {
        breakpoints: [{ dataId: info.dataId }],
      });
      for (const { breakpoints } of [lines, functions, code, data]) assert.equal(breakpoints[0]?.verified, true);
      await client.request('setExceptionBreakpoints', { filters: ['guestBp'] });
      const value = await client.request<P.EvaluateResponse['body']>('evaluate', { expression: 'shared_list.count' });
      assert.equal(value.result, '0');
      const machine = await client.request<MachineBody>('trapline/machine');
      assert.equal(machine.running, true);
      const { jit } = machine;
      assert.ok(jit !== undefined && jit.share >= 0 && jit.share <= 1 && 'elsewhere' in jit.exits, JSON.stringify(jit));
      const events = client.messages
        .slice(seen)
        .filter(({ type, event }) => type === 'event' && !String(event).startsWith('trapline/'));
      assert.deepEqual(events, []);
      for (const command of ['stackTrace', 'next', 'continue']) {
        await assert.rejects(client.request(command, { threadId: 1 }), /notStopped/);
      }
    }));

  for (const [name, code] of [
    ['it spins', JUMP_TO_ITSELF],
    ['every processor is halted for ever', HALT_FOR_EVER],
  ] as const) {
    it(`pause stops it when ${name}, and focuses the processor that was meant`, () =>
      withClient(async (client) => {
        await runCode(client, code);
        await client.request('pause', { threadId: 1 });
        const stop = await client.stopped();
        assert.equal(stop.reason, 'pause');
        assert.equal(stop.threadId, 1);
        // Pausing what stands still is no event.
        const seen = client.messages.length;
        await client.request('pause', { threadId: 2 });
        await moments(3);
        assert.equal(client.messages.slice(seen).filter(({ event }) => event === 'stopped').length, 0);
      }));
  }

  it('pause ends a step that never ends by itself', () =>
    withClient(async (client) => {
      await runCode(client, JUMP_TO_ITSELF);
      await client.request('pause', { threadId: 1 });
      await client.stopped();
      await client.request('next', { threadId: 1 });
      await moments(5);
      await client.request('pause', { threadId: 1 });
      const stop = await client.stopped();
      assert.equal(stop.reason, 'pause');
    }));
});
