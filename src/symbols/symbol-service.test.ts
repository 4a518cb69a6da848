import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SymbolError, type SymbolHost, type SymbolPort } from './api.ts';
import { createSymbolClient } from './symbol-client.ts';
import { createSymbolService } from './symbol-service.ts';

/** Two ends of a channel that copies messages as threads do. */
function channel(): readonly [SymbolPort, SymbolPort] {
  const listeners: ((message: unknown) => void)[] = [];
  const end = (own: number): SymbolPort => ({
    postMessage(message) {
      const copy: unknown = structuredClone(message);
      queueMicrotask(() => listeners[1 - own]?.(copy));
    },
    onMessage(listener) {
      listeners[own] = listener;
    },
  });
  return [end(0), end(1)];
}

/** An ELF64 executable without sections, one PT_LOAD segment of 4 bytes at 0x1000. */
function smallElf(): Uint8Array {
  const bytes = new Uint8Array(64 + 56 + 4);
  const view = new DataView(bytes.buffer);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 62, true);
  view.setBigUint64(24, 0x1000n, true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  view.setUint32(64, 1, true);
  view.setUint32(68, 5, true);
  view.setBigUint64(72, 120n, true);
  view.setBigUint64(80, 0x1000n, true);
  view.setBigUint64(96, 4n, true);
  view.setBigUint64(104, 8n, true);
  bytes.set([1, 2, 3, 4], 120);
  return bytes;
}

const host: SymbolHost = {
  openFile(path) {
    if (path !== 'small.elf') throw new Error('there is no such file');
    const bytes = smallElf();
    return { size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) };
  },
};

function connect(): { symbols: ReturnType<typeof createSymbolClient>; far: SymbolPort; near: SymbolPort } {
  const [near, far] = channel();
  createSymbolService(far, host);
  return { symbols: createSymbolClient(near), near, far };
}

describe('the symbol service over a port', () => {
  it('opens and answers', async () => {
    const { symbols } = connect();
    const file = await symbols.open({ kind: 'file', path: 'small.elf' }, 'small.elf');
    assert.equal(file.elf.entry, 0x1000n);
    assert.equal(file.elf.segments[0]?.memorySize, 8n);
    assert.deepEqual(await file.readImage(0x1002n, 4), Uint8Array.of(3, 4, 0, 0));
    assert.equal(await file.readImage(0x1006n, 4), null);
    assert.deepEqual(
      await Promise.all([file.lineAt(0x1000n), file.scopesAt(0x1000n), file.functionBreakpoints('main')]),
      [null, [], []],
    );
    assert.equal(await file.breakpointAddresses(0, 1), null);
  });

  it('gives errors as SymbolError', async () => {
    const { symbols } = connect();
    const failure = symbols.open({ kind: 'file', path: 'other' }, 'other');
    await assert.rejects(failure, (error) => error instanceof SymbolError && error.code === 'unreadable');
    await assert.rejects(failure, { message: 'other cannot be read: there is no such file.', file: 'other' });
    await assert.rejects(symbols.open({ kind: 'bytes', bytes: Uint8Array.of(1) }, 'x'), { code: 'not-elf' });
  });

  it('refuses closed files and ends with dispose', async () => {
    const { symbols } = connect();
    const file = await symbols.open({ kind: 'bytes', bytes: smallElf() }, 'small.elf');
    await file.close();
    await assert.rejects(file.lineAt(0n), { code: 'closed' });
    const another = await symbols.open({ kind: 'bytes', bytes: smallElf() }, 'small.elf');
    const pending = another.lineAt(0n);
    symbols.dispose();
    await assert.rejects(pending, { code: 'disconnected' });
    await assert.rejects(another.lineAt(0n), { code: 'disconnected' });
  });

  it('lives through messages that it does not understand', async () => {
    const [near, far] = channel();
    createSymbolService(far, host);
    const replies: unknown[] = [];
    near.onMessage((message) => replies.push(message));
    for (const message of [
      null,
      3,
      'x',
      {},
      { id: 1 },
      { id: 2, kind: 'query' },
      { id: 'a', kind: 'close', file: 1 },
    ]) {
      near.postMessage(message);
    }
    near.postMessage({ id: 7, kind: 'query', file: 1, query: 'lineAt', arguments: [1n] });
    near.postMessage({ id: 8, kind: 'open', source: { kind: 'bytes', bytes: smallElf() }, name: 'small.elf' });
    near.postMessage({ id: 9, kind: 'query', file: 1, query: 'constructor', arguments: [] });
    near.postMessage({ id: 10, kind: 'query', file: 1, query: 'lineAt', arguments: ['0'] });
    near.postMessage({ id: 11, kind: 'query', file: 1, query: 'types', arguments: [[1n]] });
    await new Promise((resolve) => setImmediate(resolve));
    const outcome = (reply: unknown): unknown => {
      const { id, ok, error } = reply as { id: number; ok: boolean; error?: { code: string } };
      return [id, ok, error?.code];
    };
    assert.deepEqual(replies.map(outcome), [
      [7, false, 'closed'],
      [8, true, undefined],
      [9, false, 'bad-request'],
      [10, false, 'bad-request'],
      [11, false, 'bad-request'],
    ]);
  });
});
