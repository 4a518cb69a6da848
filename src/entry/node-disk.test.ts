import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { DiskError, type OpenDisk } from '../machine/virtio/disk-image.ts';
import { openNodeDisk } from './node-disk.ts';
import { SharedDisks } from './shared-disks.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'trapline-disk-'));
after(() => rmSync(folder, { recursive: true }));
let count = 0;
function image(size = 4096): string {
  const file = path.join(folder, `disk${count++}.img`);
  writeFileSync(
    file,
    Uint8Array.from({ length: size }, (_, i) => i & 0xff),
  );
  return file;
}
const lockOf = (file: string): string => `${file}.trapline-lock`;

test('an image is read, and written when that was asked for', () => {
  const file = image();
  const reader = openNodeDisk(file, false);
  assert.deepEqual([...reader.read(510, 4)], [254, 255, 0, 1]);
  assert.throws(() => reader.write(0, Uint8Array.of(1)), DiskError);
  reader.close();
  assert.equal(existsSync(lockOf(file)), false);
  const writer = openNodeDisk(file, true);
  writer.write(512, Uint8Array.of(7, 8, 9));
  writer.flush();
  assert.deepEqual([...readFileSync(file).subarray(511, 516)], [255, 7, 8, 9, 3]);
  writer.close();
  writer.close();
  assert.throws(() => writer.read(0, 1), /was closed/);
  assert.equal(existsSync(lockOf(file)), false);
});

test('what is no image gets one clear sentence', () => {
  const cases: [file: string, message: RegExp][] = [
    [path.join(folder, 'missing.img'), /missing\.img: there is no such file or directory\.$/],
    [image(0), /its 0 bytes are not a whole number of 512-byte sectors\.$/],
    [image(1000), /its 1000 bytes are not a whole number/],
  ];
  const directory = path.join(folder, 'directory');
  mkdirSync(directory);
  cases.push([directory, /it is (not a file|a directory)/]);
  for (const [file, message] of cases) {
    for (const writable of [false, true]) assert.throws(() => openNodeDisk(file, writable), { message });
  }
});

test('a writer locks everybody else out, also through a link', () => {
  const file = image();
  const link = path.join(folder, 'link.img');
  symlinkSync(file, link);
  const writer = openNodeDisk(file, true);
  for (const name of [file, link]) {
    for (const writable of [false, true]) {
      assert.throws(() => openNodeDisk(name, writable), {
        message: new RegExp(`process ${process.pid} has the image open`),
      });
    }
  }
  writer.close();
  const [first, second] = [openNodeDisk(file, false), openNodeDisk(link, false)];
  first.close();
  second.close();
});

test('the lock of a process that was killed is taken over', async () => {
  const file = image();
  const script = `
    const { openNodeDisk } = await import(${JSON.stringify(new URL('./node-disk.ts', import.meta.url).href)});
    openNodeDisk(${JSON.stringify(file)}, true);
    console.log('locked');
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await new Promise((resolve) => child.stdout.once('data', resolve));
  assert.throws(() => openNodeDisk(file, true), { message: new RegExp(`process ${child.pid} has`) });
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
  assert.equal(existsSync(lockOf(file)), true);
  openNodeDisk(file, false).close();
  const disk = openNodeDisk(file, true);
  assert.match(readFileSync(lockOf(file), 'utf8'), new RegExp(`^\\{"pid":${process.pid},`));
  disk.close();
  writeFileSync(lockOf(file), 'nonsense');
  openNodeDisk(file, true).close();
});

test('a process id that came round again holds no lock', { skip: !existsSync('/proc/self/fd') }, () => {
  const file = image();
  writeFileSync(lockOf(file), `${process.pid}\n`); // this process runs, but has no such file open
  openNodeDisk(file, true).close();
});

test('an image that shrinks is told, and does not grow again', () => {
  const file = image(8192);
  for (const writable of [false, true]) {
    const disk = openNodeDisk(file, writable);
    truncateSync(file, 1024);
    assert.deepEqual([...disk.read(0, 2)], [0, 1]);
    assert.throws(() => disk.read(1000, 100), {
      name: 'DiskError',
      message: `${file}: the image shrank from 8192 to 1024 bytes while it was in use.`,
    });
    if (writable) assert.throws(() => disk.write(4096, Uint8Array.of(1)), /shrank/);
    assert.equal(readFileSync(file).length, 1024);
    disk.close();
    truncateSync(file, 8192);
  }
});

test('the machines of one session share a writable image', () => {
  const file = image();
  const disks = new SharedDisks();
  const open = (): OpenDisk => {
    const [disk] = disks.openAll([{ file, writable: true }], (index) => `disk ${index}`);
    assert.ok(disk !== undefined);
    return disk;
  };
  const before = open();
  const next = open();
  before.close();
  before.close();
  next.write(0, Uint8Array.of(99));
  assert.throws(() => openNodeDisk(file, true), /has the image open/);
  next.close();
  openNodeDisk(file, true).close();
  assert.equal(readFileSync(file)[0], 99);
});

test('one image twice is refused when one is writable, by whatever name', () => {
  const file = image();
  const link = path.join(folder, 'twice-link.img');
  const hard = path.join(folder, 'twice-hard.img');
  symlinkSync(file, link);
  linkSync(file, hard);
  const disks = new SharedDisks();
  const nameOf = (index: number): string => `machine.disks[${index}]`;
  for (const other of [file, link, hard, `${folder}/./${path.basename(file)}`]) {
    for (const [first, second] of [
      [true, true],
      [true, false],
      [false, true],
    ] as const) {
      const requests = [
        { file, writable: first },
        { file: other, writable: second },
      ];
      assert.throws(() => disks.openAll(requests, nameOf), {
        message:
          /^machine\.disks\[1\]: .* is the same image as machine\.disks\[0\] .*; give each disk an image of its own\.$/,
      });
      assert.equal(existsSync(lockOf(file)), false);
    }
  }
  const both = disks.openAll(
    [
      { file, writable: false },
      { file: hard, writable: false },
    ],
    nameOf,
  );
  for (const disk of both) disk.close();
  // All or none: what was opened before a bad one is closed again, and its lock is gone.
  const requests = [
    { file, writable: true },
    { file: path.join(folder, 'none.img'), writable: true },
  ];
  assert.throws(() => disks.openAll(requests, nameOf), {
    message: /^machine\.disks\[1\]: .*none\.img: there is no such file/,
  });
  assert.equal(existsSync(lockOf(file)), false);
});

test('a block device is a disk', (context) => {
  const file = image(1 << 20);
  const made = spawnSync('losetup', ['--find', '--show', file], { encoding: 'utf8' });
  if (made.status !== 0) return context.skip('no loop device can be made here');
  const device = made.stdout.trim();
  try {
    const disk = openNodeDisk(device, true);
    assert.equal(disk.size, 1 << 20);
    disk.write(512, Uint8Array.of(7, 8, 9));
    disk.flush();
    assert.deepEqual([...disk.read(511, 5)], [255, 7, 8, 9, 3]);
    assert.throws(() => openNodeDisk(device, true), /has the image open/);
    disk.close();
    assert.equal(existsSync(lockOf(device)), false);
  } finally {
    spawnSync('losetup', ['--detach', device]);
  }
});
