import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { validateLaunch } from '../dap/configuration.ts';
import { ResourceScope } from '../dap/resource-scope.ts';
import { createNodeAdapterHost } from './node-adapter-host.ts';
import { openNodeDisk } from './node-disk.ts';
import { readWholeFile } from './regular-file.ts';
import { nodeSymbolHost } from './node-symbol-host.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'trapline-files-'));
const socket = createServer();
after(() => {
  socket.close();
  rmSync(folder, { recursive: true });
});

/** Everything a name may stand for that is no regular file, and what is said of it. */
async function oddities(): Promise<[name: string, what: RegExp][]> {
  const directory = path.join(folder, 'a-directory');
  mkdirSync(directory, { recursive: true });
  const cases: [string, RegExp][] = [[directory, /it is a directory/]];
  if (process.platform === 'win32') return cases;
  const fifo = path.join(folder, 'a-pipe');
  assert.equal(spawnSync('mkfifo', [fifo]).status, 0);
  const link = path.join(folder, 'a-link');
  symlinkSync('/dev/zero', link);
  const listening = path.join(folder, 'a-socket');
  await new Promise<void>((resolve) => socket.listen(listening, resolve));
  return [
    ...cases,
    [fifo, /it is a pipe \(FIFO\)/],
    ['/dev/zero', /it is a character device/],
    [link, /it is a character device/],
    [listening, /it is a socket/],
  ];
}
const kernel = new URL('../../guests/smp/smp.elf', import.meta.url).pathname;

test('every file that a launch names must be regular: the rest is refused in one sentence, at once', async () => {
  const host = createNodeAdapterHost();
  try {
    for (const [name, what] of await oddities()) {
      const names: [property: string, launch: object][] = [
        ['kernel', { kernel: name }],
        ['initrd', { kernel, initrd: name }],
        ['machine.disks[0]', { kernel, machine: { disks: [{ file: name }] } }],
        ['machine.disks[0]', { kernel, machine: { disks: [{ file: name, writable: true }] } }],
      ];
      for (const [property, launch] of names) {
        const checked = validateLaunch(launch);
        assert.ok(checked.ok);
        const rejected = await host.createGuest(checked.configuration, new ResourceScope(() => undefined)).then(
          () => assert.fail(`${property}: ${name} was taken`),
          (error: unknown) => (error instanceof Error ? error.message : String(error)),
        );
        assert.match(rejected, what);
        assert.ok(rejected.startsWith(`${property}: `) && rejected.endsWith('.') && !rejected.includes('\n'), rejected);
      }
      assert.throws(() => nodeSymbolHost.openFile(name), { message: what });
      assert.throws(() => openNodeDisk(name, false), { message: what });
      await assert.rejects(readWholeFile(name), { message: what });
    }
  } finally {
    host.dispose();
  }
});

test('what is too large is refused before it is read', async () => {
  const huge = path.join(folder, 'huge');
  writeFileSync(huge, '');
  truncateSync(huge, 2 ** 40); // sparse
  await assert.rejects(readWholeFile(huge), {
    message: /it has 1099511627776 bytes, more than the 1073741824 that can be read\.$/,
  });
  const host = createNodeAdapterHost();
  try {
    const checked = validateLaunch({ kernel, initrd: huge, machine: { memory: '32M' } });
    assert.ok(checked.ok);
    await assert.rejects(host.createGuest(checked.configuration, new ResourceScope(() => undefined)), {
      message: /^initrd: .* more than the 33554432/,
    });
  } finally {
    host.dispose();
  }
  truncateSync(huge, 1000);
  assert.equal((await readWholeFile(huge)).length, 1000);
  await assert.rejects(readWholeFile(huge, 999), { message: /1000 bytes, more than the 999/ });
});
