// Debian's own kernel, untouched: it boots, its user space finds everything right, and its log is the one that it writes in
// QEMU. TRAPLINE_LINUX_CPUS names the numbers of vCPUs.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { findOnPath } from '../../scripts/process.ts';
import { comparableLog, differenceOf, unneeded } from './linux/console-differences.ts';
import { COMMON_APPEND, guestOrReason, runInQemu, runInTrapline } from './linux/run-guest.ts';

const guest = await guestOrReason();
const offline = typeof guest === 'string' ? guest : false;
const noQemu = offline || (findOnPath('qemu-system-x86_64') === undefined ? 'QEMU is not installed' : false);

/** QEMU's vCPUs are threads of the host: more of them on a few cores spend minutes in spin locks. */
const MOST_IN_QEMU = 8;

/** What QEMU's guest says about its clocks and workers depends on what else the host has to do; ours always says the same. */
const QEMU_ATTEMPTS = 3;

/** What no healthy boot says. */
const TROUBLE =
  /^.*(?:\bBUG\b|\bOops\b|WARNING: |Call Trace|Kernel panic|rcu_\w+ (?:self-)?detected|TSC unstable|TRAPLINE-GUEST-FAIL).*$/m;

/** Pairs of logs, for the question which patterns of the comparison were needed. */
const compared: { ours: string; theirs: string }[] = [];

const numbersOfCpus = (process.env['TRAPLINE_LINUX_CPUS'] ?? '1,4').split(',').map(Number);
for (const cpus of numbersOfCpus) {
  const options = () => {
    if (typeof guest === 'string') throw new Error(guest);
    return { ...guest, cpus, append: `${COMMON_APPEND} trapline.cpus=${cpus}` };
  };
  let ours: Promise<Awaited<ReturnType<typeof runInTrapline>>> | undefined;
  const folder = mkdtempSync(path.join(tmpdir(), 'trapline-profile-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const profile = path.join(folder, 'boot.cpuprofile');
  const trapline = () => (ours ??= runInTrapline(options(), ['--profile', profile]));

  test(
    `Debian's kernel with ${cpus} vCPUs: user space finds everything right, and powers off`,
    { skip: offline },
    async () => {
      const { status, console: log, output } = await trapline();
      const end = log.replaceAll('\r', '').split('\n').slice(-40).join('\n');
      assert.equal(status, 0, `${output.slice(-4000)}`);
      assert.match(log, new RegExp(`^TRAPLINE-GUEST-OK cpus=${cpus}\r?$`, 'm'), end);
      assert.match(log, /reboot: Power down/, end);
      assert.doesNotMatch(log, TROUBLE);
      assert.match(log, /clocksource: Switched to clocksource tsc\r?$/m);
      // The image is compressed: names are those of the kernel's own table, as it lay in memory at the end.
      const names = new Set(readFileSync(profile, 'utf8').match(/(?<="functionName":")[a-z_]\w+(?=")/g));
      assert.ok(
        names.size > 100 && names.has('clear_page_rep') && names.has('get_symbol_offset'),
        [...names].join(' '),
      );
    },
  );

  if (cpus > MOST_IN_QEMU) continue;
  test(`its log with ${cpus} vCPUs is QEMU's`, { skip: noQemu }, async () => {
    const { console: own } = await trapline();
    const log = comparableLog(own);
    let difference = '';
    for (let attempt = 0; attempt < QEMU_ATTEMPTS; attempt++) {
      const theirs = await runInQemu(options());
      assert.match(theirs.console, /TRAPLINE-GUEST-OK/, theirs.output.slice(-2000));
      compared.push({ ours: own, theirs: theirs.console });
      difference = differenceOf(log, comparableLog(theirs.console));
      if (difference === '') return;
    }
    assert.fail(difference);
  });
}

// Some patterns are about the processors beside the first.
const tooFew = numbersOfCpus.some((cpus) => cpus > 1 && cpus <= MOST_IN_QEMU) ? false : 'one processor says less';
test('every pattern of the comparison was needed', { skip: noQemu || tooFew }, () => {
  assert.deepEqual(
    unneeded(compared).map(({ line, why }) => `${String(line)}: ${why}`),
    [],
  );
});
