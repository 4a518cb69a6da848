/** Steps with `singleThread`: what was asked, by that vCPU alone. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { DebugProtocol as P } from '@vscode/debugprotocol';
import { createNodeAdapterHost } from '../../src/entry/node-adapter-host.ts';
import { Client, inProcess } from './client.ts';
import { guest } from './story.ts';

const insertion =
  readFileSync(path.join(guest, 'worker.c'), 'utf8')
    .split('\n')
    .findIndex((text) => text.includes('list_insert(list, node);')) + 1;

describe('a step of one thread', () => {
  const host = createNodeAdapterHost();
  const client = new Client(inProcess(host));
  let threadId = 0;
  before(async () => {
    await client.launch({ kernel: path.join(guest, 'smp.elf'), machine: { cpus: 4, memory: '32M' } }, async () => {
      await client.request('setBreakpoints', {
        source: { path: path.join(guest, 'worker.c') },
        breakpoints: [{ line: insertion }],
      });
    });
    threadId = (await client.stopped()).threadId ?? 0;
    await client.request('setBreakpoints', { source: { path: path.join(guest, 'worker.c') }, breakpoints: [] });
  });
  after(async () => {
    await client.close();
    host.dispose();
  });

  const stack = async (thread: number): Promise<P.StackFrame[]> =>
    (await client.request<P.StackTraceResponse['body']>('stackTrace', { threadId: thread })).stackFrames;
  const others = async (): Promise<string> => {
    const places: string[] = [];
    for (const thread of [1, 2, 3, 4]) {
      if (thread === threadId) continue;
      const { result } = await client.request<P.EvaluateResponse['body']>('evaluate', {
        expression: '$rip',
        frameId: (await stack(thread))[0]?.id,
      });
      places.push(result);
    }
    return places.join(' ');
  };
  const step = async (command: string, more: object = {}): Promise<P.StackFrame[]> => {
    const standing = await others();
    client.forgetEvents();
    const continued = client.event<P.ContinuedEvent['body']>('continued');
    await client.request(command, { threadId, singleThread: true, ...more });
    assert.deepEqual(await continued, { threadId, allThreadsContinued: false });
    const stop = await client.stopped();
    assert.equal(stop.reason, 'step');
    assert.equal(stop.threadId, threadId);
    assert.equal(await others(), standing, 'the others stand where they stood');
    return stack(threadId);
  };

  // Each of these executed one instruction.
  it('goes into a function, over lines of it, and out of it', async () => {
    const inside = await step('stepIn');
    assert.equal(inside[0]?.name, 'list_insert');
    const next = await step('next', { granularity: 'line' });
    assert.equal(next[0]?.name, 'list_insert');
    assert.notEqual(next[0].line, inside[0].line);
    const outside = await step('stepOut');
    assert.ok(outside.length < inside.length);
    assert.equal(outside[0]?.name, inside[1]?.name);
  });

  it('goes over a line with a call as over one', async () => {
    const [line] = await stack(threadId);
    const [next] = await step('next', { granularity: 'statement' });
    assert.notEqual(next?.line, line?.line);
  });

  it('of one instruction is one instruction', async () => {
    const [here] = await stack(threadId);
    const [there] = await step('stepIn', { granularity: 'instruction' });
    const distance = BigInt(there?.instructionPointerReference ?? 0) - BigInt(here?.instructionPointerReference ?? 0);
    assert.ok(distance !== 0n);
    const { instructions } = await client.request<NonNullable<P.DisassembleResponse['body']>>('disassemble', {
      memoryReference: here?.instructionPointerReference,
      instructionCount: 2,
    });
    if (!/^(j|call|ret)/.test(instructions[0]?.instruction ?? ''))
      assert.equal(there?.instructionPointerReference, instructions[1]?.address);
  });
});
