// The comparison of console logs is itself tested: it must find a line that is missing, and one in another place.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALLOWED, comparableLog, differenceOf, unneeded } from './linux/console-differences.ts';

test('time stamps, carriage returns and allowed lines do not count', () => {
  const log =
    '[    0.000000] Linux version 6.1\r\n[    0.1] tsc: Detected 1000.000 MHz processor\r\nTRAPLINE-GUEST-OK cpus=4\r\n';
  assert.deepEqual(comparableLog(log), ['Linux version 6.1', 'TRAPLINE-GUEST-OK cpus=4', '']);
});

test('what a worker writes may come earlier or later, but has to come', () => {
  assert.deepEqual(comparableLog('Freeing initrd memory: 3116K\na\nb'), ['a', 'b', 'Freeing initrd memory: 3116K']);
});

test('a line that is missing, another one, or another order is found', () => {
  assert.equal(differenceOf(['a', 'b'], ['a', 'b']), '');
  assert.equal(differenceOf(['a', 'b'], ['a']), 'only in Trapline: b');
  assert.equal(differenceOf(['a'], ['a', 'a']), 'only in QEMU:     a');
  assert.match(differenceOf(['a', 'b'], ['b', 'a']), /^another order from here on: Trapline has "a", QEMU has "b"$/);
});

test('the allowed patterns are anchored, and none lets the marks of a failure through', () => {
  const patterns = ALLOWED.map(({ line }) => line);
  assert.ok(patterns.length <= 30, `${patterns.length} patterns are no short list any more`);
  for (const { source } of patterns) assert.ok(source.startsWith('^'), source);
  for (const line of [
    'TRAPLINE-GUEST-FAIL ptrace',
    'BUG: unable to handle page fault',
    'smp: Brought up 1 node, 4 CPUs',
  ]) {
    assert.ok(!patterns.some((pattern) => pattern.test(line)), line);
  }
});

test('only the part of the memory map that differs is left out', () => {
  const map = (line: string): readonly string[] => comparableLog(`BIOS-e820: [mem ${line}`);
  assert.deepEqual(map('0x00000000000f0000-0x00000000000fffff] reserved'), []);
  assert.equal(map('0x0000000000100000-0x000000001ffdffff] usable').length, 1);
  assert.equal(map('0x00000000000f0000-0x00000000000fffff] usable').length, 1);
});

test('a pattern is needed when its lines differ, or were measured', () => {
  const names = (ours: string, theirs: string): readonly string[] => unneeded([{ ours, theirs }]).map(({ why }) => why);
  const none = names('', '').length;
  assert.equal(none, ALLOWED.filter(({ when }) => when !== 'rare').length);
  assert.equal(names('Console: colour 80x25', 'Console: colour 80x25').length, none);
  assert.equal(names('Console: colour 80x25', 'Console: colour dummy').length, none - 1);
  assert.equal(names('sched_clock: Marking 1', 'sched_clock: Marking 1').length, none - 1);
});
