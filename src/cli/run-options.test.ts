import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launchProperties } from '../dap/configuration.ts';
import { UsageError } from './exit-status.ts';
import { HELP } from './help.ts';
import { OutputMatcher } from './output-matcher.ts';
import { parseMemorySize, parseRunOptions, type RawRunOptions } from './run-options.ts';

test('memory sizes', () => {
  assert.equal(parseMemorySize('512M'), 512 << 20);
  assert.equal(parseMemorySize('512'), 512 << 20);
  assert.equal(parseMemorySize('1g'), 1 << 30);
  assert.equal(parseMemorySize('65536KiB'), 64 << 20);
  for (const text of ['', 'x', '1.5G', '-1', '1T', '1M', '4G', '2049K', '99999999999999999999G']) {
    assert.throws(() => parseMemorySize(text), UsageError, text);
  }
});

test('defaults and all options', () => {
  assert.deepEqual(parseRunOptions({ kernel: 'k' }), {
    kernel: 'k',
    cpus: 1,
    memorySize: 128 << 20,
    jit: true,
    profile: 'intel',
    busLockDetection: false,
    digest: false,
    disks: [],
  });
  const all = parseRunOptions({
    kernel: 'k',
    initrd: 'i',
    append: 'a',
    smp: '4',
    memory: '64M',
    until: 'ready$',
    'no-jit': true,
    'max-instructions': '1000',
    timeout: '1.5',
    stats: 's',
    ledger: 'l',
    profile: 'amd',
    'cpu-profile': 'p.cpuprofile',
    'bus-lock-detection': true,
    rtc: '1999-12-31T23:59:50Z',
    clock: 'virtual',
    digest: true,
    disk: ['a.img', 'b,c.img,writable'],
    rng: '7',
    port: 'p',
  });
  assert.deepEqual([all.cpus, all.jit, all.maxInstructions, all.timeoutSeconds], [4, false, 1000, 1.5]);
  assert.deepEqual(all.disks, [
    { file: 'a.img', writable: false },
    { file: 'b,c.img', writable: true },
  ]);
  assert.deepEqual([all.statsFile, all.ledgerFile, all.profileFile], ['s', 'l', 'p.cpuprofile']);
  assert.deepEqual([all.entropySeed, all.portFile], [7, 'p']);
  assert.deepEqual([all.profile, all.busLockDetection, all.rtcSeconds], ['amd', true, 946_684_790]);
});

test('--profile names a processor; a file name there still means --cpu-profile', () => {
  const { profile, profileFile } = parseRunOptions({ kernel: 'k', profile: 'out.cpuprofile' });
  assert.deepEqual([profile, profileFile], ['intel', 'out.cpuprofile']);
});
test('every machine property of launch.json has an option', () => {
  const options: Readonly<Record<string, keyof RawRunOptions>> = {
    cpus: 'smp',
    memory: 'memory',
    clock: 'clock',
    rtc: 'rtc',
    profile: 'profile',
    busLockDetection: 'bus-lock-detection',
    disks: 'disk',
    rngSeed: 'rng',
  };
  const properties = Object.keys(launchProperties['machine']?.properties ?? {});
  assert.deepEqual(properties.sort(), Object.keys(options).sort());
  for (const option of Object.values(options)) assert.match(HELP, new RegExp(`^  --${option}\\b`, 'm'), option);
});

test('each wrong value is named', () => {
  const cases: [Record<string, string>, RegExp][] = [
    [{}, /--kernel FILE is missing/],
    [{ kernel: 'k', smp: '0' }, /--smp: '0'/],
    [{ kernel: 'k', smp: '17' }, /--smp: '17'/],
    [{ kernel: 'k', smp: '0x2' }, /--smp: '0x2'/],
    [{ kernel: 'k', timeout: '0' }, /--timeout: '0'/],
    [{ kernel: 'k', timeout: '-1' }, /--timeout: '-1'/],
    [{ kernel: 'k', 'max-instructions': '1e3' }, /--max-instructions: '1e3'/],
    [{ kernel: 'k', rng: '-1' }, /--rng: '-1'/],
    [{ kernel: 'k', rng: '4294967296' }, /--rng: '4294967296'/],
    [{ kernel: 'k', profile: 'arm' }, /--profile: 'arm' is neither intel nor amd/],
    [{ kernel: 'k', profile: 'a.cpuprofile', 'cpu-profile': 'b.cpuprofile' }, /neither intel nor amd/],
    [{ kernel: 'k', rtc: 'soon' }, /--rtc: 'soon'/],
    [{ kernel: 'k', rtc: '2025-13-01' }, /--rtc: '2025-13-01'/],
    [{ kernel: 'k', clock: 'wall' }, /--clock: 'wall'/],
    [{ kernel: 'k', until: '(' }, /--until: .*regular expression/i],
  ];
  for (const [raw, message] of cases) {
    assert.throws(
      () => parseRunOptions(raw),
      (error) => error instanceof UsageError && message.test(error.message),
    );
  }
});

test('output matches across pieces, lines and carriage returns', () => {
  const matcher = new OutputMatcher(/^all (is )?well$/m);
  const add = (text: string): boolean => matcher.add(new TextEncoder().encode(text));
  assert.equal(add('booting\r\nall '), false);
  assert.equal(add('is we'), false);
  assert.equal(add('ll\r\n'), true);
  assert.equal(add(''), true);
  const long = new OutputMatcher(/needle/);
  for (let i = 0; i < 100; i++) long.add(new Uint8Array(1000).fill(65));
  assert.equal(long.add(new TextEncoder().encode('needle')), true);
});
