// Debian's kernel under the adapter, as it comes: compressed, moved by KASLR, and without a symbol file.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { DebugProtocol as P } from '@vscode/debugprotocol';
import { createNodeAdapterHost } from '../../src/entry/node-adapter-host.ts';
import { guestOrReason } from '../machine/linux/run-guest.ts';
import { Client, inProcess } from './client.ts';

const guest = await guestOrReason();
const skip = typeof guest === 'string' ? guest : false;

test(
  "Debian's kernel: breakpoints by name from before the first instruction on, without symbols",
  { skip },
  async () => {
    if (typeof guest === 'string') return;
    const host = createNodeAdapterHost();
    const client = new Client(inProcess(host));
    const output: string[] = [];
    client.onMessage = (direction, message) => {
      const body = message['body'];
      if (direction === 'from' && message['event'] === 'output') output.push((body as P.OutputEvent['body']).output);
    };
    const changed: P.Breakpoint[] = [];
    try {
      const set = async (names: readonly string[]): Promise<P.Breakpoint[]> => {
        const body = await client.request<P.SetFunctionBreakpointsResponse['body']>('setFunctionBreakpoints', {
          breakpoints: names.map((name) => ({ name })),
        });
        return body.breakpoints;
      };
      await client.launch(
        {
          kernel: guest.kernel,
          initrd: guest.initrd,
          cmdline: 'console=ttyS0 cryptomgr.notests trapline.cpus=2',
          machine: { cpus: 2, memory: '512M' },
          stopOnEntry: true,
        },
        async () => {
          for (const breakpoint of await set([
            'x86_64_start_kernel',
            'start_kernel',
            'start_secondary',
            'no_such_thing',
          ])) {
            assert.equal(breakpoint.verified, false);
            assert.equal(breakpoint.reason, 'pending');
          }
          await client.request('setExceptionBreakpoints', { filters: ['panic', 'oops', 'tripleFault'] });
        },
      );
      const entry = await client.stopped();
      assert.equal(entry.reason, 'entry');
      const names = async (threadId: number): Promise<readonly string[]> => {
        const { stackFrames } = await client.request<P.StackTraceResponse['body']>('stackTrace', { threadId });
        return stackFrames.map(({ name }) => name);
      };
      const go = async (): Promise<readonly string[]> => {
        await client.request('continue', { threadId: 1 });
        const { threadId = 0, reason } = await client.stopped();
        return [`${reason} on ${threadId}`, ...(await names(threadId))];
      };
      const first = await go();
      assert.deepEqual(first.slice(0, 2), ['function breakpoint on 1', 'x86_64_start_kernel']);
      assert.match(output.join(''), /^Kernel 6\.\d+\.\d+\S* at 0xffffffff[0-9a-f]{8} \(slide 0x[0-9a-f]+\)$/m);
      console.log(await go(), await go());
      for (;;) {
        const event = await client.event<P.BreakpointEvent['body']>('breakpoint');
        changed.push(event.breakpoint);
        if (changed.length === 4) break;
      }
    } finally {
      console.log(output.join('').slice(-1500), changed);
      await client.request('disconnect').catch(() => undefined);
      await client.close();
      host.dispose();
    }
  },
);
