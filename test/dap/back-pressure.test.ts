/**
 * A client that does not read slows the guest down: what it has not taken stays within some megabytes, whatever the guest
 * says. That the guest waits is seen by the processor time of its host, and by its memory.
 */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { after, describe, it } from 'node:test';
import { encodeMessage, FrameReader } from '../../src/dap/framing.ts';
import { memoryOf, seconds, untilIdle, writeFloodKernel } from './flood.ts';
import { Served, startCli, type Message } from './served.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'trapline-flood-'));
const kernel = path.join(folder, 'flood.elf');
writeFloodKernel(kernel);
after(() => rmSync(folder, { recursive: true }));

/** Megabytes that memory may still move by when everything waits: a garbage collector's leisure. */
const FLAT = 24;
const skip = process.platform === 'linux' ? false : 'processor time and memory are read from /proc';

/** A client that reads when it wants to. */
class LazyClient {
  private readonly input: Readable;
  private readonly output: Writable;
  private readonly reader = new FrameReader();
  private readonly read: Message[] = [];
  private readonly ended: Promise<never>;
  private sequence = 1;

  constructor(input: Readable, output: Writable) {
    this.ended = once(input, 'end').then(() => assert.fail('the stream ended'));
    this.ended.catch(() => undefined);
    this.input = input;
    this.output = output;
    output.on('error', () => undefined);
    input.on('error', () => undefined);
  }
  send(command: string, argument: unknown = {}): number {
    const seq = this.sequence++;
    this.output.write(encodeMessage({ seq, type: 'request', command, arguments: argument }));
    return seq;
  }
  /** Reads until a message fits, and no further. */
  async until(accept: (message: Message) => boolean): Promise<Message> {
    for (;;) {
      for (let message = this.read.shift(); message !== undefined; message = this.read.shift()) {
        if (accept(message)) return message;
      }
      const [bytes] = (await Promise.race([once(this.input.resume(), 'data'), this.ended])) as [Buffer];
      this.input.pause();
      for (const frame of this.reader.push(bytes)) if (frame.ok) this.read.push(frame.message as Message);
    }
  }
  answer(seq: number): Promise<Message> {
    return this.until((message) => message['request_seq'] === seq);
  }
  async launch(): Promise<void> {
    await this.answer(this.send('initialize', { adapterID: 'trapline', clientID: 'lazy' }));
    const launched = this.send('launch', { kernel, machine: { cpus: 1, memory: '32M' } });
    assert.equal((await this.answer(launched))['success'], true);
    await this.answer(this.send('configurationDone'));
  }
}

/** The guest waits, memory is flat; then a pause gets through, and a client that goes is let go. */
async function expectPatience(pid: number, client: LazyClient): Promise<void> {
  await client.launch();
  await untilIdle(pid);
  const before = memoryOf(pid);
  await seconds(3);
  const grown = memoryOf(pid) - before;
  assert.ok(grown < FLAT, `${grown.toFixed(1)} MB more`);
  // Reading lets the guest go on.
  for (let i = 0; i < 200; i++) await client.until(({ event }) => event === 'output');
  await untilIdle(pid);
  // A pause is heard although nobody reads; its answer comes behind what the guest has said before.
  const pause = client.send('pause', { threadId: 1 });
  assert.equal((await client.answer(pause))['success'], true);
  await client.until(({ event }) => event === 'stopped');
  assert.equal((await client.answer(client.send('continue', { threadId: 1 })))['success'], true);
  await untilIdle(pid);
  client.send('disconnect');
}

const pidOf = (child: ChildProcess): number => child.pid ?? assert.fail('it was not started');
async function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}

describe('D7: a client that does not read', { skip }, () => {
  it('lets the guest wait on standard output', { timeout: 240_000 }, async () => {
    const child = startCli(['dap'], 'pipe');
    try {
      const { stdin, stdout } = child;
      assert.ok(stdin !== null && stdout !== null);
      await expectPatience(pidOf(child), new LazyClient(stdout, stdin));
      stdout.resume();
      assert.equal(await exitOf(child), 0);
    } finally {
      child.kill('SIGKILL');
    }
  });

  for (const door of ['port', 'socket'] as const) {
    it(`lets the guest wait on a ${door}`, { timeout: 240_000 }, async () => {
      const file = path.join(folder, 's');
      const served = new Served(door === 'port' ? ['--port', '0', '--no-token'] : ['--socket', file]);
      try {
        if (door === 'socket') await served.says(/debug adapter on/);
        const socket = door === 'port' ? connect(await served.port(), '127.0.0.1') : connect(file);
        await expectPatience(pidOf(served.child), new LazyClient(socket, socket));
        // It never reads again: the adapter does not wait for that, and serves the next one.
        await once(socket.resume(), 'close');
      } finally {
        await served.kill();
      }
    });
  }

  it('lets the guest of `trapline run` wait, which a signal still ends', { timeout: 240_000 }, async () => {
    const child = startCli(['run', '--kernel', kernel, '--memory', '32M'], 'pipe');
    try {
      child.stdout?.pause();
      const pid = pidOf(child);
      await seconds(2);
      await untilIdle(pid);
      const before = memoryOf(pid);
      await seconds(3);
      const grown = memoryOf(pid) - before;
      assert.ok(grown < FLAT, `${grown.toFixed(1)} MB more`);
      let bytes = 0;
      await new Promise<void>((resolve) => {
        const take = (piece: Buffer): void => {
          bytes += piece.length;
          if (bytes < 8 << 20) return;
          child.stdout?.pause();
          child.stdout?.off('data', take);
          resolve();
        };
        child.stdout?.on('data', take);
        child.stdout?.resume();
      });
      await untilIdle(pid);
      child.kill('SIGTERM');
      assert.equal(await exitOf(child), 143);
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('--timeout ends a run whose output nobody reads', { timeout: 120_000 }, async () => {
    const child = startCli(['run', '--kernel', kernel, '--memory', '32M', '--timeout', '3'], 'pipe');
    try {
      child.stdout?.pause();
      let said = '';
      child.stderr?.on('data', (bytes: Buffer) => (said += bytes.toString()));
      while (!said.includes('Stopped by --timeout')) await seconds(0.2);
      child.stdout?.resume();
      assert.equal(await exitOf(child), 124);
    } finally {
      child.kill('SIGKILL');
    }
  });
});
