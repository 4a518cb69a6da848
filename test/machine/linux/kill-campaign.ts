/**
 * A guest writes to an ext4 file system on a writable disk and its host is killed (SIGKILL) at a random moment. The image
 * must be one that e2fsck finds clean, or makes clean by the journal alone; and what the guest was told to be on the disk is there.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { writeCpio } from '../../../scripts/linux-guest/cpio.ts';
import type { LinuxGuest } from '../../../scripts/linux-guest.ts';
import { repositoryRoot } from '../../../scripts/process.ts';

const IMAGE_SIZE = 16 * 2 ** 20;
/** Milliseconds behind the mounting within which the kill comes. */
const SPAN = 1500;

/** An archive behind the initramfs: its init takes the place of the other one. Debian's cloud kernel has ext4 built in. */
function journalArchive(): Uint8Array {
  const init = readFileSync(path.join(repositoryRoot, 'test/machine/linux/journal-init'));
  return writeCpio([
    { kind: 'folder', name: 'mnt' },
    { kind: 'file', name: 'init', bytes: init, mode: 0o755 },
  ]);
}

function run(program: string, ...args: string[]): { status: number | null; output: string } {
  const done = spawnSync(program, args, { encoding: 'utf8' });
  return { status: done.status, output: `${done.stdout}${done.stderr}` };
}

/** Mounts, writes, is killed; answers the last file that the guest knew to be on the disk, or -1. */
async function writeAndKill(guest: LinuxGuest, initrd: string, image: string, moment: number): Promise<number> {
  const args = ['run', '--kernel', guest.kernel, '--initrd', initrd, '--disk', `${image},writable`, '--memory', '256M'];
  const cli = path.join(repositoryRoot, 'dist/cli.js');
  const child = spawn(process.execPath, [cli, ...args, '--append', 'console=ttyS0 quiet cryptomgr.notests'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let said = '';
  const mounted = new Promise<void>((resolve) =>
    child.stdout.on('data', (bytes: Buffer) => {
      said += bytes.toString('latin1');
      if (said.includes('JOURNAL-MOUNTED')) resolve();
    }),
  );
  const exited = once(child, 'exit');
  try {
    await Promise.race([mounted, exited.then(() => assert.fail(`the guest ended by itself:\n${said}`))]);
    await new Promise((resolve) => setTimeout(resolve, moment));
  } finally {
    child.kill('SIGKILL');
    await exited;
  }
  assert.doesNotMatch(said, /TRAPLINE-GUEST-FAIL/);
  // The line may be cut by the kill: what stands in front of the last line's end counts.
  const durable = [...said.matchAll(/DURABLE (\d+)\r?\n/g)].at(-1)?.[1];
  return durable === undefined ? -1 : Number(durable);
}

/** Whether a name of the file n is on an image: it may have been moved already, but never be gone. */
function hasFile(image: string, n: number): boolean {
  const names = [`/file${n}`, `/folder${n % 7}/kept${n % 40}`];
  return names.some((name) => run('debugfs', '-R', `stat ${name}`, image).output.includes('Type: regular'));
}

/** What became of a campaign: how many images had a journal to replay, and files that were written in all. */
export interface KillReport {
  readonly replayed: number;
  readonly files: number;
}

/** @param random answers numbers from 0 up to 1 */
export async function killCampaign(guest: LinuxGuest, count: number, random: () => number): Promise<KillReport> {
  const folder = mkdtempSync(path.join(tmpdir(), 'trapline-kill-'));
  try {
    const initrd = path.join(folder, 'initrd');
    writeFileSync(initrd, Buffer.concat([readFileSync(guest.initrd), journalArchive()]));
    const empty = path.join(folder, 'empty.img');
    writeFileSync(empty, '');
    truncateSync(empty, IMAGE_SIZE);
    const made = run('mke2fs', '-q', '-t', 'ext4', '-F', '-J', 'size=4', empty);
    assert.equal(made.status, 0, made.output);
    let [replayed, files] = [0, 0];
    const image = path.join(folder, 'disk.img');
    copyFileSync(empty, image);
    for (let round = 0; round < count; round++) {
      const moment = Math.floor(random() * SPAN);
      const last = await writeAndKill(guest, initrd, image, moment);
      const where = `kill ${round}, ${moment} ms behind the mounting, file ${last}`;
      // A copy is judged: the image itself goes to the next guest as it is, whose kernel replays the journal.
      const judged = path.join(folder, 'judged.img');
      copyFileSync(image, judged);
      const preen = run('e2fsck', '-p', judged); // by the journal alone, or without any repair
      assert.ok(preen.status === 0 || preen.status === 1, `${where}: ${preen.output}`);
      if (preen.output.includes('recovering journal')) replayed++;
      const check = run('e2fsck', '-f', '-n', judged);
      assert.equal(check.status, 0, `${where}: ${check.output}`);
      if (last >= 0) assert.ok(hasFile(judged, last), `${where}: it is gone`);
      files += last + 1;
    }
    return { replayed, files };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
