// A person at the serial console of Debian's kernel: it is booted as an uncompressed vmlinux by PVH, a shell answers what is
// typed, and `reboot -f` ends the run.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { repositoryRoot } from '../../scripts/process.ts';
import { COMMON_APPEND, guestOrReason } from './linux/run-guest.ts';
import { unpackVmlinux } from './linux/vmlinux.ts';

const guest = await guestOrReason();
const vmlinux = typeof guest === 'string' ? guest : unpackVmlinux(new Uint8Array(readFileSync(guest.kernel)));
const folder = mkdtempSync(path.join(tmpdir(), 'trapline-console-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const PROMPT = '/ # ';
/** What is typed at each prompt, and what has to come before the next one. */
const TALK: readonly (readonly [typed: string, answer: RegExp])[] = [
  ['echo typed-$((6 * 7))\n', /^typed-42$/m],
  ['uname -m; grep -c ^processor /proc/cpuinfo\n', /^x86_64\n2$/m],
  ['ls /bin | tail -n 1; cat /sys/devices/system/clocksource/clocksource0/current_clocksource\n', /^zcat\ntsc$/m],
];
const FAREWELL = 'reboot -f\n';

test(
  'vmlinux by PVH: a shell on the serial console answers, and reboot ends the run',
  { skip: typeof vmlinux === 'string' ? vmlinux : false, timeout: 300_000 },
  async () => {
    if (typeof guest === 'string' || typeof vmlinux === 'string') return;
    const kernel = path.join(folder, 'vmlinux');
    writeFileSync(kernel, vmlinux);
    const append = `${COMMON_APPEND} quiet trapline.shell`;
    const program = [path.join(repositoryRoot, 'dist/cli.js'), 'run', '--kernel', kernel, '--initrd', guest.initrd];
    const child = spawn(
      process.execPath,
      [...program, '--append', append, '--smp', '2', '--memory', '256M', '--timeout', '240'],
      { stdio: ['pipe', 'pipe', 'inherit'] },
    );
    const answers: string[] = [];
    let heard = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      heard += text.replaceAll('\r', '');
      if (!heard.includes(PROMPT)) return;
      answers.push(heard);
      heard = '';
      child.stdin.write(TALK[answers.length - 1]?.[0] ?? FAREWELL);
    });
    const status = await new Promise((resolve) => child.on('close', resolve));
    TALK.forEach(([typed, answer], i) => assert.match(answers[i + 1] ?? '', answer, `after ${typed}`));
    assert.match(heard, /reboot: Restarting system/);
    assert.equal(status, 0);
  },
);
