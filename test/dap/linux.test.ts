// Debian's kernel under the adapter, as it comes: compressed, moved by KASLR, and without a symbol file.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { DebugProtocol as P } from '@vscode/debugprotocol';
import { createNodeAdapterHost } from '../../src/entry/node-adapter-host.ts';
import { buildKallsyms } from '../../src/symbols/linux/kallsyms-fixture.ts';
import { kallsymsElf, readKallsyms } from '../../src/symbols/index.ts';
import { guestOrReason } from '../machine/linux/run-guest.ts';
import { Client, inProcess } from './client.ts';

const guest = await guestOrReason();
const skip = typeof guest === 'string' ? guest : false;

/** A session with Debian's kernel, and what the tests ask of it. */
class LinuxSession {
  readonly client: Client;
  /** Everything that the Debug Console shows. */
  said = '';
  private readonly host = createNodeAdapterHost();

  constructor() {
    this.client = new Client(inProcess(this.host));
    this.client.onMessage = (direction, message) => {
      if (direction === 'from' && message['event'] === 'output')
        this.said += (message['body'] as P.OutputEvent['body']).output;
    };
  }
  async functionBreakpoints(...names: readonly string[]): Promise<readonly P.Breakpoint[]> {
    const argument = { breakpoints: names.map((name) => ({ name })) };
    const body = await this.client.request<P.SetFunctionBreakpointsResponse['body']>(
      'setFunctionBreakpoints',
      argument,
    );
    return body.breakpoints;
  }
  async frames(threadId: number): Promise<readonly string[]> {
    const { stackFrames } = await this.client.request<P.StackTraceResponse['body']>('stackTrace', { threadId });
    return stackFrames.map(({ name }) => name);
  }
  /** Reason, thread and stack of the next stop, after a request that lets the guest go. */
  async after(request: string, threadId = 1): Promise<{ reason: string; threadId: number; names: readonly string[] }> {
    await this.client.request(request, { threadId });
    const stop = await this.client.stopped();
    return { reason: stop.reason, threadId: stop.threadId ?? 0, names: await this.frames(stop.threadId ?? 0) };
  }
  async end(): Promise<void> {
    await this.client.request('disconnect').catch(() => undefined);
    await this.client.close();
    this.host.dispose();
  }
}

const launchOf = (more: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> => {
  if (typeof guest === 'string') throw new Error(guest);
  const { kernel, initrd } = guest;
  const machine = { cpus: 2, memory: '512M' };
  return { kernel, initrd, cmdline: 'console=ttyS0 cryptomgr.notests', machine, stopOnEntry: true, ...more };
};

test(
  'without symbols: breakpoints by name from before the first instruction on, steps, data, user mode',
  { skip },
  async () => {
    const session = new LinuxSession();
    const { client } = session;
    try {
      await client.launch(launchOf(), async () => {
        const set = await session.functionBreakpoints(
          'x86_64_start_kernel',
          'start_kernel',
          'start_secondary',
          'no_such',
        );
        assert.deepEqual(
          set.map(({ verified, reason }) => [verified, reason]),
          set.map(() => [false, 'pending']),
        );
        await client.request('setExceptionBreakpoints', { filters: ['panic', 'oops', 'tripleFault'] });
      });
      assert.equal((await client.stopped()).reason, 'entry');

      // No breakpoint is missed, and none is hit twice.
      const first = await session.after('continue');
      assert.deepEqual(
        [first.reason, first.threadId, first.names[0]],
        ['function breakpoint', 1, 'x86_64_start_kernel'],
      );
      assert.match(session.said, /^Kernel 6\.\d+\.\d+\S* at 0xffffffff[0-9a-f]{8} \(slide 0x[0-9a-f]+\)$/m);
      const changed: boolean[] = [];
      for (let i = 0; i < 4; i++)
        changed.push((await client.event<P.BreakpointEvent['body']>('breakpoint')).breakpoint.verified);
      assert.deepEqual(changed, [true, true, true, false]);
      assert.equal((await session.after('continue')).names[0], 'start_kernel');
      assert.match((await session.after('next')).names[0] ?? '', /^start_kernel\+0x/);
      const second = await session.after('continue');
      assert.deepEqual(
        [second.reason, second.threadId, second.names[0]],
        ['function breakpoint', 2, 'start_secondary'],
      );

      // A variable of the kernel, by name alone.
      const info = await client.request<P.DataBreakpointInfoResponse['body']>('dataBreakpointInfo', {
        name: 'jiffies',
      });
      const data = { breakpoints: [{ dataId: info.dataId, accessType: 'write' }] };
      await client.request('setDataBreakpoints', data);
      const written = await session.after('continue', second.threadId);
      assert.equal(written.reason, 'data breakpoint');
      assert.match(session.said, /jiffies was written by vCPU \d: 0x[0-9a-f]+ -> 0x[0-9a-f]+ at \w+\+0x/);
      await client.request('setDataBreakpoints', { breakpoints: [] });

      // In a function that is called: its caller is certain, those further out are guesses; and out of it again.
      await session.functionBreakpoints('vfs_read');
      const read = await session.after('continue', written.threadId);
      assert.equal(read.names[0], 'vfs_read');
      assert.match(read.names[1] ?? '', /^\w+\+0x[0-9a-f]+$/);
      assert.ok(read.names.slice(2).every((name) => name.startsWith('? ')));
      const out = await session.after('stepOut', read.threadId);
      assert.equal(out.names[0], read.names[1]);

      // User mode: its ring is said, and no frame of the kernel is made up.
      await session.functionBreakpoints('syscall_return_via_sysret');
      const leaving = await session.after('continue', out.threadId);
      await session.functionBreakpoints();
      const { threadId } = leaving;
      let { names } = leaving;
      const step = { threadId, granularity: 'instruction' };
      for (let i = 0; i < 60 && names[0]?.startsWith('0x') !== true; i++) {
        await client.request('stepIn', step);
        await client.stopped();
        names = await session.frames(threadId);
      }
      assert.match(names[0] ?? '', /^0x[0-9a-f]{6,12}$/);
      assert.equal(names.length, 1);
      const { threads } = await client.request<P.ThreadsResponse['body']>('threads');
      assert.match(threads.find(({ id }) => id === threadId)?.name ?? '', /· r3/);
    } finally {
      await session.end();
    }
  },
);

test(
  'the kernel before it runs where it is linked to: startup_64 and __startup_64 stop, at physical addresses',
  { skip },
  async () => {
    const session = new LinuxSession();
    const { client } = session;
    /** Name and address of the innermost frame, and what the listing at it begins with. */
    const top = async (): Promise<{ readonly name: string; readonly pc: bigint; readonly listing: string }> => {
      const { threadId } = await client.stopped();
      const { stackFrames } = await client.request<P.StackTraceResponse['body']>('stackTrace', { threadId });
      const [frame] = stackFrames;
      const { content } = await client.request<P.SourceResponse['body']>('source', {
        sourceReference: frame?.source?.sourceReference,
        source: frame?.source,
      });
      return { name: frame?.name ?? '', pc: BigInt(frame?.instructionPointerReference ?? 0), listing: content };
    };
    const moduleNames = async (): Promise<readonly string[]> =>
      (await client.request<P.ModulesResponse['body']>('modules')).modules.map(({ name }) => name);
    try {
      await client.launch(launchOf({ stopOnEntry: 'startup_64' }), async () => {
        await session.functionBreakpoints('startup_64', '__startup_64', 'x86_64_start_kernel');
      });
      // The very first instruction: the breakpoint is bound while the vCPU stands there.
      const first = await top();
      assert.equal(first.name, 'startup_64');
      assert.equal(first.pc % 0x20_0000n, 0n);
      assert.ok(first.pc < 0x2000_0000n);
      assert.match(first.listing, /<startup_64>:/);
      assert.deepEqual(await moduleNames(), ['kallsyms', 'kallsyms (physical)']);
      await client.request('continue', { threadId: 1 });
      const second = await top();
      assert.equal(second.name, '__startup_64');
      assert.ok(second.pc > first.pc && second.pc < first.pc + 0x1000_0000n);
      await client.request('continue', { threadId: 1 });
      const third = await top();
      assert.equal(third.name, 'x86_64_start_kernel');
      assert.ok(third.pc >= 0xffff_ffff_8000_0000n);
      assert.deepEqual(await moduleNames(), ['kallsyms']);
    } finally {
      await session.end();
    }
  },
);

test('a panic stops at panic(), in words; a symbol file of another kernel is refused', { skip }, async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'trapline-symbols-'));
  const session = new LinuxSession();
  try {
    const other = path.join(folder, 'vmlinux-other');
    writeFileSync(other, withBuildId(strangeKernel(), new Uint8Array(20).fill(0xab)));
    // No such init: the kernel has nothing to run.
    const cmdline = 'console=ttyS0 cryptomgr.notests rdinit=/none init=/none root=none';
    // A client that knows nothing of exception filters: what is on by default is on.
    await session.client.launch(launchOf({ cmdline, symbols: [{ file: other }], stopOnEntry: 'start_kernel' }));
    const entry = await session.client.stopped();
    assert.equal(entry.reason, 'entry');
    assert.equal((await session.frames(1))[0], 'start_kernel');
    assert.equal(session.said.match(/is not the symbol file of the kernel that runs/g)?.length, 1);
    assert.match(session.said, /its build ID is (?:ab){20}, the kernel's is [0-9a-f]{40}\. It is not used\./);
    const panic = await session.after('continue');
    assert.deepEqual([panic.reason, panic.names[0]], ['exception', 'panic']);
    assert.match(session.said, /The kernel panics on vCPU \d: ".+"\. panic\(\) has not run yet\./);
    const { threadId } = panic;
    const told = await session.client.request<P.ExceptionInfoResponse['body']>('exceptionInfo', { threadId });
    assert.equal(told.exceptionId, 'Kernel panic');
  } finally {
    await session.end();
    rmSync(folder, { recursive: true, force: true });
  }
});

test('an oops stops where the kernel begins to report it; the panic that follows stops, too', { skip }, async () => {
  const session = new LinuxSession();
  const { client } = session;
  try {
    await client.launch(launchOf({ stopOnEntry: false }), async () => {
      await session.functionBreakpoints('vfs_read');
      await client.request('setExceptionBreakpoints', { filters: ['panic', 'oops'] });
    });
    const { threadId = 0 } = await client.stopped();
    assert.equal((await session.frames(threadId))[0], 'vfs_read');
    await session.functionBreakpoints();
    // struct file *file: the kernel reads through a null pointer now.
    const { stackFrames } = await client.request<P.StackTraceResponse['body']>('stackTrace', { threadId });
    await client.request('setExpression', { expression: '$rdi', value: '0', frameId: stackFrames[0]?.id });
    const oops = await session.after('continue', threadId);
    assert.equal(oops.reason, 'exception');
    assert.match(oops.names[0] ?? '', /^(oops_enter|__die)$/);
    assert.match(
      session.said,
      /Kernel oops on vCPU \d: the kernel has caught a fault in its own code and is about to report it\./,
    );
    const asked = { threadId: oops.threadId };
    const told = await client.request<P.ExceptionInfoResponse['body']>('exceptionInfo', asked);
    assert.equal(told.exceptionId, 'Kernel oops');
    // It was the first process that read.
    const panic = await session.after('continue', oops.threadId);
    assert.deepEqual([panic.reason, panic.names[0]], ['exception', 'panic']);
    assert.match(session.said, /The kernel panics on vCPU \d: "Attempted to kill init! exitcode=0x%08x"\./);
  } finally {
    await session.end();
  }
});

test('a kernel that reboots by a triple fault stops there', { skip }, async () => {
  const session = new LinuxSession();
  const { client } = session;
  try {
    const cmdline = 'console=ttyS0 cryptomgr.notests rdinit=/none init=/none root=none panic=-1 reboot=t';
    await client.launch(launchOf({ cmdline, stopOnEntry: false }), async () => {
      await client.request('setExceptionBreakpoints', { filters: ['tripleFault'] });
    });
    const stop = await client.stopped();
    assert.equal(stop.reason, 'exception');
    const { threadId = 0 } = stop;
    assert.match((await session.frames(threadId))[0] ?? '', /^native_machine_emergency_restart\+0x/);
    const told = await client.request<P.ExceptionInfoResponse['body']>('exceptionInfo', { threadId });
    assert.equal(told.exceptionId, 'Triple fault');
    assert.match(told.description ?? '', /vectors: #BP at 0x\w+ <.*>, #GP at .*, #DF at /);
  } finally {
    await session.end();
  }
});

/** Symbols of a kernel that never was, at its link-time addresses. */
function strangeKernel(): Uint8Array {
  const base = 0xffff_ffff_8100_0000n;
  const symbols = ['_text', 'start_kernel', '_etext', '_end'].map((name, index) => {
    return { name, type: 'T', address: base + BigInt(index) * 0x1000n };
  });
  const kallsyms = readKallsyms(buildKallsyms(symbols, base, '6.1'));
  assert.ok(kallsyms !== undefined);
  return kallsymsElf(kallsyms, 0n);
}

/** The file with a note section appended in place of its first section header, which nothing reads. */
function withBuildId(elf: Uint8Array, id: Uint8Array): Uint8Array {
  const note = Uint8Array.from([4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0, 0x47, 0x4e, 0x55, 0, ...id]);
  const file = new Uint8Array(elf.length + note.length);
  file.set(elf);
  file.set(note, elf.length);
  const view = new DataView(file.buffer);
  const sections = Number(view.getBigUint64(0x28, true));
  view.setUint32(sections + 4, 7, true); // SHT_NOTE
  view.setBigUint64(sections + 0x18, BigInt(elf.length), true);
  view.setBigUint64(sections + 0x20, BigInt(note.length), true);
  return file;
}
