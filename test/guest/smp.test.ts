/**
 * The sample guest, judged without our own machine: its committed ELF files are what its sources say, and it runs
 * under QEMU TCG with the output and the exit status that our core has to reproduce.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const guest = fileURLToPath(new URL('../../guests/smp', import.meta.url));
const elfFiles = ['smp.elf', 'smp32.elf'] as const;

/** isa-debug-exit makes `((0x2a << 1) | 1) & 0xff` of the guest's success value. */
const successStatus = 85;

/** QEMU's own time limit for one run; a run takes well under a second. */
const runLimitMs = 60_000;

const tools = ['gcc', 'ld', 'as', 'objcopy'] as const;

interface Toolchain {
  readonly versions: ReadonlyMap<string, string>;
  readonly sha256: ReadonlyMap<string, string>;
}

function asRecord(value: unknown, what: string): Record<string, unknown> {
  assert.ok(typeof value === 'object' && value !== null, `toolchain.json: ${what} is not an object`);
  return Object.fromEntries(Object.entries(value));
}

function strings(record: Record<string, unknown>, keys: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    keys.map((key) => {
      const value = record[key];
      assert.ok(typeof value === 'string', `toolchain.json: "${key}" is not a string`);
      return [key, value];
    }),
  );
}

function readToolchain(): Toolchain {
  const parsed: unknown = JSON.parse(readFileSync(join(guest, 'toolchain.json'), 'utf8'));
  const record = asRecord(parsed, 'the file');
  return { versions: strings(record, tools), sha256: strings(asRecord(record['sha256'], '"sha256"'), elfFiles) };
}

/** The first line of `tool --version`, or undefined where there is no such tool. */
function versionOf(tool: string): string | undefined {
  const result = spawnSync(tool, ['--version'], { encoding: 'utf8' });
  return result.status === 0 ? result.stdout.split('\n')[0] : undefined;
}

/** Why the guest cannot be rebuilt to the same bytes here, or false if it can. */
function reasonNotToRebuild(recorded: Toolchain): string | false {
  if (versionOf('make') === undefined) return 'make is not installed';
  for (const tool of tools) {
    const wanted = recorded.versions.get(tool);
    const found = versionOf(tool);
    if (found !== wanted) return `the guest was built by ${wanted}; here is ${found ?? `no ${tool}`}`;
  }
  return false;
}

function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

const toolchain = readToolchain();

describe('the ELF files of the sample guest', () => {
  for (const name of elfFiles) {
    test(`${name} is the recorded one`, () => {
      assert.equal(sha256(join(guest, name)), toolchain.sha256.get(name), 'run `make record` in guests/smp');
    });
  }

  test('a rebuild elsewhere gives the same bytes', { skip: reasonNotToRebuild(toolchain) }, () => {
    const directory = mkdtempSync(join(tmpdir(), 'trapline-guest-'));
    try {
      const built = /(^|\/)(build|[^/]*\.elf)$/;
      cpSync(guest, directory, { recursive: true, filter: (source) => !built.test(source) });
      const make = spawnSync('make', ['-s'], { cwd: directory, encoding: 'utf8', timeout: 120_000 });
      assert.equal(make.status, 0, `make failed:\n${make.stderr}`);
      for (const name of elfFiles) {
        const same = readFileSync(join(directory, name)).equals(readFileSync(join(guest, name)));
        assert.ok(same, `${name}: the rebuilt file differs from the committed one; run \`make record\` in guests/smp`);
      }
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});

const qemu = 'qemu-system-x86_64';
const reasonNotToRun = versionOf(qemu) === undefined ? `${qemu} is not installed` : false;

function expectedOutput(cpus: number): string {
  const name = cpus === 4 ? 'expected-output.txt' : `expected-output.smp${cpus}.txt`;
  return readFileSync(join(guest, name), 'utf8');
}

function runUnderQemu(cpus: number): { readonly status: number | null; readonly output: string } {
  const result = spawnSync(
    qemu,
    [
      ['-accel', 'tcg', '-smp', String(cpus), '-m', '128'],
      ['-display', 'none', '-serial', 'stdio', '-monitor', 'none', '-no-reboot'],
      ['-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04'],
      ['-kernel', join(guest, 'smp32.elf')],
    ].flat(),
    { encoding: 'utf8', input: '', timeout: runLimitMs, killSignal: 'SIGKILL' },
  );
  return { status: result.status, output: result.stdout };
}

describe('the sample guest under QEMU TCG', { skip: reasonNotToRun }, () => {
  for (const cpus of [1, 2, 4, 8, 16]) {
    // QEMU runs the processors in parallel, in another order each time.
    const runs = cpus === 4 ? 3 : 1;
    for (let run = 1; run <= runs; run++) {
      test(`${cpus} processors, run ${run} of ${runs}`, () => {
        const { status, output } = runUnderQemu(cpus);
        assert.equal(output, expectedOutput(cpus));
        assert.equal(status, successStatus);
      });
    }
  }
});
