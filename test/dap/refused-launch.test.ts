/**
 * A launch or restart that cannot be: of every kind, the refusal names what is wrong, and tells the client to show it. An
 * editor that is not told so shows nothing at all.
 */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { createNodeAdapterHost } from '../../src/entry/node-adapter-host.ts';
import { Client, inProcess, RequestFailed } from './client.ts';
import { guest } from './story.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'trapline-refused-'));
after(() => rmSync(folder, { recursive: true }));
const file = (name: string, bytes: Uint8Array | string): string => {
  const target = path.join(folder, name);
  writeFileSync(target, bytes);
  return target;
};
const kernel = path.join(guest, 'smp.elf');
const gone = (name: string): string => path.join(folder, name);

async function withClient(work: (client: Client) => Promise<void>): Promise<void> {
  const host = createNodeAdapterHost();
  const client = new Client(inProcess(host));
  try {
    await client.request('initialize', { adapterID: 'x' });
    await work(client);
  } finally {
    await client.close();
    host.dispose();
  }
}

/** Asserts that the request is refused with the sentence, and that the client is told to show it. */
async function refused(request: Promise<unknown>, sentence: RegExp): Promise<void> {
  const error: unknown = await request.then(
    () => assert.fail('it was not refused'),
    (failure: unknown) => failure,
  );
  assert.ok(error instanceof RequestFailed, String(error));
  assert.match(error.message, sentence);
  assert.doesNotMatch(error.message, /^Internal error/);
  const body = error.response.body as { readonly error?: { readonly showUser?: unknown; readonly format?: unknown } };
  assert.equal(body.error?.showUser, true);
  assert.equal(typeof body.error.format, 'string');
}

const kinds: readonly (readonly [what: string, configuration: () => object, sentence: RegExp])[] = [
  ['a kernel that is missing', () => ({ kernel: gone('gone.elf') }), /gone\.elf.*no such file/],
  ['a kernel that is a folder', () => ({ kernel: folder }), /director/],
  ['a kernel that is no kernel', () => ({ kernel: path.join(guest, 'main.c') }), /main\.c.*not a kernel/],
  ['no kernel at all', () => ({}), /'kernel'/],
  ['symbols that are missing', () => ({ kernel, symbols: [{ file: gone('gone.debug') }] }), /gone\.debug/],
  [
    'symbols that are no ELF file',
    () => ({ kernel, symbols: [{ file: file('text.debug', 'These are no symbols, however long the text.') }] }),
    /text\.debug.*ELF/,
  ],
  ['an initrd that is missing', () => ({ kernel, initrd: gone('gone.cpio') }), /gone\.cpio.*no such file/],
  [
    'an initrd that the memory has no room for',
    () => ({ kernel, initrd: file('large.cpio', new Uint8Array(20 << 20)), machine: { memory: '16M' } }),
    /large\.cpio|memory/,
  ],
  [
    'a disk that is missing',
    () => ({ kernel, machine: { disks: [{ file: gone('gone.img') }] } }),
    /gone\.img.*no such file/,
  ],
  [
    'a disk of no whole sectors',
    () => ({ kernel, machine: { disks: [{ file: file('odd.img', new Uint8Array(513)) }] } }),
    /odd\.img.*512/,
  ],
  ['too little memory', () => ({ kernel, machine: { memory: '1K' } }), /memory/],
  ['too many vCPUs', () => ({ kernel, machine: { cpus: 1000 } }), /cpus/],
  ['a property that does not exist', () => ({ kernel, machine: { cpu: 4 } }), /machine\.cpu.*Did you mean 'cpus'/],
  ['an argument of another type', () => ({ kernel: 7 }), /kernel/],
];

describe('a refused launch is shown', () => {
  for (const [what, configuration, sentence] of kinds) {
    it(what, () => withClient((client) => refused(client.request('launch', configuration()), sentence)));
  }

  it('a second launch in one session', () =>
    withClient(async (client) => {
      await client.request('launch', { kernel, machine: { cpus: 1, memory: '16M' } });
      await refused(client.request('launch', { kernel }), /running already/);
    }));

  it('a restart whose kernel is no kernel any more', () =>
    withClient(async (client) => {
      const copy = path.join(folder, 'kernel.elf');
      copyFileSync(kernel, copy);
      await client.request('launch', { kernel: copy, machine: { memory: '16M' }, stopOnEntry: true });
      await client.request('configurationDone');
      await client.stopped();
      writeFileSync(copy, 'not built');
      await refused(client.request('restart'), /kernel\.elf.*not a kernel/);
    }));
});
