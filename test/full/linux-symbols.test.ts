// Debian's kernel with the vmlinux of its -dbg package: 590 MB of DWARF 5 that nothing may walk over as a whole.
import assert from 'node:assert/strict';
import { env } from 'node:process';
import { test } from 'node:test';
import type { DebugProtocol as P } from '@vscode/debugprotocol';
import { kernelSymbols } from '../../scripts/linux-guest/kernel-symbols.ts';
import { createNodeAdapterHost } from '../../src/entry/node-adapter-host.ts';
import { Client, inProcess } from '../dap/client.ts';
import { guestOrReason } from '../machine/linux/run-guest.ts';

env['TRAPLINE_LINUX_DEBUG_CPUS'] ??= '4';
await import('../debugger/linux-undisturbed.test.ts');

const guest = await guestOrReason();

test('breakpoints by function and by source line, from before the first instruction on, moved by KASLR', async (t) => {
  if (typeof guest === 'string') return t.skip(guest);
  const vmlinux = await kernelSymbols(guest);
  const host = createNodeAdapterHost();
  const client = new Client(inProcess(host));
  const said: string[] = [];
  client.onMessage = (direction, message) => {
    if (direction === 'from' && message['event'] === 'output')
      said.push((message['body'] as P.OutputEvent['body']).output);
  };
  try {
    const { kernel, initrd } = guest;
    const cmdline = 'console=ttyS0 cryptomgr.notests';
    const machine = { cpus: 2, memory: '512M' };
    await client.launch({ kernel, initrd, cmdline, machine, symbols: [{ file: vmlinux }] }, async () => {
      const names = ['startup_64', '__startup_64', 'start_kernel'];
      await client.request('setFunctionBreakpoints', { breakpoints: names.map((name) => ({ name })) });
      await client.request('setBreakpoints', {
        source: { path: '/home/somebody/linux/fs/read_write.c' },
        breakpoints: [{ line: 450 }],
      });
      await client.request('setBreakpoints', {
        source: { path: '/home/somebody/linux/arch/x86/kernel/head64.c' },
        breakpoints: [{ line: 205 }],
      });
    });
    const stopAt = async (): Promise<readonly P.StackFrame[]> => {
      const { threadId } = await client.stopped();
      return (await client.request<P.StackTraceResponse['body']>('stackTrace', { threadId })).stackFrames;
    };
    // At its physical address, before it runs where it was linked to: names are right there, too.
    const [first] = await stopAt();
    assert.deepEqual([first?.name, first?.moduleId], ['startup_64', 'vmlinux (physical)']);
    assert.equal(BigInt(first?.instructionPointerReference ?? 1) % 0x20_0000n, 0n);
    await client.request('continue', { threadId: 1 });
    const early = await stopAt();
    assert.equal(early[0]?.name, '__startup_64');
    await client.request('next', { threadId: 1 });
    const [stepped] = await stopAt();
    assert.equal(stepped?.name, '__startup_64');
    assert.notEqual(stepped.line, early[0].line);
    await client.request('continue', { threadId: 1 });
    const [line] = await stopAt();
    assert.equal(line?.name, '__startup_64');
    assert.ok(BigInt(line.instructionPointerReference ?? 0) > BigInt(early[0].instructionPointerReference ?? 0));
    await client.request('continue', { threadId: 1 });
    const [start] = await stopAt();
    assert.equal(start?.name, 'start_kernel');
    assert.match(said.join(''), /^Kernel 6\.\d+\.\d+\S* at 0xffffffff[0-9a-f]{8} \(slide 0x[0-9a-f]+\)$/m);
    assert.doesNotMatch(said.join(''), /build ID|kallsyms/);
    await client.request('continue', { threadId: 1 });
    const names = (await stopAt()).map(({ name }) => name);
    assert.deepEqual(names.slice(0, 2), ['vfs_read', 'ksys_read']);
    const megabytes = process.memoryUsage().rss / 1e6;
    assert.ok(megabytes < 1600, `${Math.round(megabytes)} MB are in use, the guest's 512 among them`);
  } finally {
    await client.request('disconnect').catch(() => undefined);
    await client.close();
    host.dispose();
  }
});
