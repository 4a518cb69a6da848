/** Log points beside stops and steps of every kind: each arrival is said once, and none is lost. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { it } from 'node:test';
import type { DebugProtocol as P } from '@vscode/debugprotocol';
import { createNodeAdapterHost } from '../../src/entry/node-adapter-host.ts';
import { Client, inProcess } from './client.ts';
import { guest } from './story.ts';

/** Each of four processors inserts 640 nodes. */
const INSERTIONS = 4 * 640;
const STOPS = 300;

it('a log point speaks exactly once for each arrival, whatever else stops the guest', async () => {
  const host = createNodeAdapterHost();
  const client = new Client(inProcess(host));
  const said: string[] = [];
  client.onMessage = (_direction, message) => {
    const { event, body } = message as { event?: string; body?: { output?: string } };
    if (event === 'output' && body?.output?.startsWith('insert ') === true) said.push(body.output);
  };
  const lines = readFileSync(path.join(guest, 'worker.c'), 'utf8').split('\n');
  const line = lines.findIndex((text) => text.includes('list_insert(list, node);')) + 1;
  await client.launch({ kernel: path.join(guest, 'smp.elf'), machine: { cpus: 4, memory: '32M' } }, async () => {
    const breakpoints = [{ line, logMessage: 'insert {node->id}' }];
    await client.request('setBreakpoints', { source: { path: path.join(guest, 'worker.c') }, breakpoints });
    const info = await client.request<P.DataBreakpointInfoResponse['body']>('dataBreakpointInfo', {
      name: 'shared_list.count',
    });
    await client.request('setDataBreakpoints', { breakpoints: [{ dataId: info.dataId, accessType: 'write' }] });
  });
  const exited = client.event<P.ExitedEvent['body']>('exited');
  const commands = ['continue', 'stepIn', 'next', 'stepOut', 'continue'];
  for (let stops = 0; stops < STOPS; stops++) {
    const { threadId } = await client.stopped();
    const granularity = stops % 2 === 0 ? 'line' : 'instruction';
    const command = commands[stops % commands.length] ?? 'continue';
    await client.request(command, { threadId, granularity }).catch(() => client.request('continue', { threadId }));
  }
  const { threadId } = await client.stopped();
  await client.request('setDataBreakpoints', { breakpoints: [] });
  await client.request('continue', { threadId });
  assert.equal((await exited).exitCode, 85);
  assert.equal(said.length, INSERTIONS);
  assert.equal(new Set(said).size, INSERTIONS);
  await client.close();
  host.dispose();
});

it('a condition that cannot be evaluated stops every time, says why in the stop, and in the console once', async () => {
  const host = createNodeAdapterHost();
  const client = new Client(inProcess(host));
  const said: string[] = [];
  client.onMessage = (_direction, message) => {
    const { event, body } = message as { event?: string; body?: { output?: string } };
    if (event === 'output' && body?.output?.includes('cannot be evaluated') === true) said.push(body.output);
  };
  const condition = '*(int *)0x7000000000000000 == 1';
  await client.launch({ kernel: path.join(guest, 'smp.elf'), machine: { cpus: 1, memory: '32M' } }, async () => {
    await client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'list_insert', condition }] });
  });
  for (let stops = 0; stops < 3; stops++) {
    const { threadId, reason, text, hitBreakpointIds } = await client.stopped();
    assert.deepEqual([reason, hitBreakpointIds?.length], ['function breakpoint', 1]);
    assert.match(
      text ?? '',
      /Condition '\*\(int \*\)0x7000000000000000 == 1' cannot be evaluated: Memory at .* cannot be read/,
    );
    await client.request('continue', { threadId });
  }
  assert.equal(said.length, 1);
  await client.close();
  host.dispose();
});
