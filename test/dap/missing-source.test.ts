/** A kernel whose sources are not where `sourceMap` says: what is shown is its machine code, never an error page. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { it } from 'node:test';
import type { DebugProtocol as P } from '@vscode/debugprotocol';
import { createNodeAdapterHost } from '../../src/entry/node-adapter-host.ts';
import { Client, inProcess } from './client.ts';
import { guest } from './story.ts';

it('a mapped source that is missing falls back to disassembly, and that is said once', async () => {
  const host = createNodeAdapterHost();
  const client = new Client(inProcess(host));
  try {
    await client.request('initialize', { adapterID: 'x' });
    await client.request('launch', {
      kernel: path.join(guest, 'smp.elf'),
      sourceMap: { '/trapline/guests/smp': '/nowhere/at/all' },
      machine: { cpus: 1, memory: '16M' },
      stopOnEntry: 'kernel_main',
    });
    await client.request('configurationDone');
    await client.event('stopped');
    for (let round = 0; round < 2; round++) {
      const { stackFrames } = await client.request<P.StackTraceResponse['body']>('stackTrace', { threadId: 1 });
      assert.ok(stackFrames.length >= 2);
      for (const { source } of stackFrames) {
        assert.match(source?.path ?? '', /\.disasm$/);
        assert.ok((source?.sourceReference ?? 0) > 0, 'a listing, not a file');
      }
    }
    const said = client.messages.filter((message) => JSON.stringify(message).includes('/nowhere/at/all'));
    assert.equal(said.length, 1);
    assert.match(JSON.stringify(said[0]), /no such file.*machine code/);
  } finally {
    await client.close();
    host.dispose();
  }
});
