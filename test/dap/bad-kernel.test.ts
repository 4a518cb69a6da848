/** Kernels that are cut off or damaged: launch says what is wrong with which file, or boots it; the adapter lives on. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { createNodeAdapterHost } from '../../src/entry/node-adapter-host.ts';
import { campaignSeed, randomOf } from '../harness/random.ts';
import { Client, inProcess, RequestFailed } from './client.ts';
import { guest } from './story.ts';

const whole = readFileSync(path.join(guest, 'smp.elf'));
const folder = mkdtempSync(path.join(tmpdir(), 'trapline-'));
after(() => rmSync(folder, { recursive: true }));

/** Launches the bytes as a kernel; the error, or undefined when the machine was powered on. */
async function launch(bytes: Uint8Array): Promise<string | undefined> {
  const kernel = path.join(folder, 'kernel.elf');
  writeFileSync(kernel, bytes);
  const host = createNodeAdapterHost();
  const client = new Client(inProcess(host));
  try {
    await client.request('initialize', { adapterID: 'x' });
    await client.request('launch', { kernel, machine: { cpus: 1, memory: '16M' } });
    // Questions to damaged debugging information are answered or refused, too.
    for (const [command, argument] of [
      ['setBreakpoints', { source: { path: path.join(guest, 'worker.c') }, breakpoints: [{ line: 79 }] }],
      ['setFunctionBreakpoints', { breakpoints: [{ name: 'list_insert' }] }],
      ['evaluate', { expression: 'shared_list' }],
      ['disassemble', { memoryReference: '0x10258d', instructionOffset: -5, instructionCount: 10 }],
    ] as const) {
      await client.request(command, argument).catch((error: unknown) => {
        assert.ok(error instanceof RequestFailed && !error.message.startsWith('Internal error'), String(error));
      });
    }
    return undefined;
  } catch (error) {
    if (!(error instanceof RequestFailed)) throw error;
    assert.ok(!error.message.startsWith('Internal error'), error.message);
    return error.message;
  } finally {
    await client.close();
    host.dispose();
  }
}

describe('a kernel file', () => {
  it('that is empty, or no kernel at all, is named', async () => {
    assert.match((await launch(new Uint8Array(0))) ?? '', /kernel\.elf.*empty/);
    assert.match((await launch(Buffer.from('#!/bin/sh\n'))) ?? '', /kernel\.elf.*not a kernel that Trapline can boot/);
  });
  it('that is cut off anywhere is refused by name, or boots', async () => {
    const pieces = 40;
    for (let i = 1; i < pieces; i++) {
      const length = Math.floor((whole.length * i) / pieces / 64) * 64;
      const message = await launch(whole.subarray(0, length));
      if (message !== undefined) assert.match(message, /kernel\.elf/, `cut at ${length}`);
    }
  });
  it('with damaged bytes is refused by name, or boots', async () => {
    const seed = campaignSeed(20250101);
    const random = randomOf(seed, 'damage');
    for (let run = 0; run < 25; run++) {
      const damaged = Uint8Array.from(whole);
      for (let i = 0; i < 20; i++) damaged[random(whole.length)] = random(256);
      const message = await launch(damaged);
      if (message !== undefined) assert.match(message, /kernel\.elf/, `seed ${seed}, run ${run}`);
    }
  });
});
