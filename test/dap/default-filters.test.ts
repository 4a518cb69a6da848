/** Exception filters that are on by themselves: a kernel that panics is no machine that runs for ever without a word. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { DebugProtocol as P } from '@vscode/debugprotocol';
import { createNodeAdapterHost } from '../../src/entry/node-adapter-host.ts';
import { missing, run, temporaryDirectory } from '../symbols/tools.ts';
import { Client, inProcess } from './client.ts';

const skip = missing('gcc');

/** A Multiboot kernel that panics as Linux does: the format of the message is the first argument. */
const source = `
  .text
  .code32
  .long 0x1badb002, 0, -0x1badb002
  .globl _start, panic, oops_enter
  .type panic, @function
  .type oops_enter, @function
_start:
  mov $0x80000, %esp
  call oops_enter
  mov $message, %edi
  call panic
  ud2
oops_enter:
  ret
panic:
  mov $1, %eax
  out %eax, $0xf4
  hlt
message: .asciz "no way on"
`;

describe('exception filters', { skip }, () => {
  const folder = skip === false ? temporaryDirectory() : '';
  const kernel = path.join(folder, 'panics.elf');

  async function stops(filters: readonly string[] | undefined, noDebug = false): Promise<readonly string[]> {
    const host = createNodeAdapterHost();
    const client = new Client(inProcess(host));
    try {
      await client.request('initialize', { adapterID: 'x' });
      await client.request('launch', { kernel, machine: { memory: '16M' }, stopOnEntry: false, noDebug });
      if (filters !== undefined) await client.request('setExceptionBreakpoints', { filters });
      await client.request('configurationDone');
      const found: string[] = [];
      const ended = client.event('terminated').then(() => undefined);
      for (;;) {
        const stopped = await Promise.race([client.stopped(), ended]);
        if (stopped === undefined) return found;
        found.push(stopped.description ?? stopped.reason);
        await client.request('continue', { threadId: 1 });
      }
    } finally {
      await client.close();
      host.dispose();
    }
  }

  it('panic, oops and triple fault are on for clients that set none', async () => {
    writeFileSync(path.join(folder, 'panics.S'), source);
    const layout = ['-Wl,-Ttext=0x100000', '-Wl,--build-id=none', '-Wl,-n'];
    run('gcc', ['-m32', '-static', '-nostdlib', '-no-pie', ...layout, path.join(folder, 'panics.S'), '-o', kernel]);
    const body: P.Capabilities = await capabilitiesOf();
    const on = (body.exceptionBreakpointFilters ?? []).filter((one) => one.default === true).map((one) => one.filter);
    assert.deepEqual(on, ['panic', 'oops', 'tripleFault']);
    assert.deepEqual(await stops(undefined), ['oops', 'panic']);
  });

  it('a client that sets others has these and no more', async () => {
    assert.deepEqual(await stops(['panic']), ['panic']);
    assert.deepEqual(await stops([]), []);
  });

  it('without debugging nothing stops', async () => {
    assert.deepEqual(await stops(undefined, true), []);
  });
});

async function capabilitiesOf(): Promise<P.Capabilities> {
  const host = createNodeAdapterHost();
  const client = new Client(inProcess(host));
  try {
    return await client.request<P.Capabilities>('initialize', { adapterID: 'x' });
  } finally {
    await client.close();
    host.dispose();
  }
}
