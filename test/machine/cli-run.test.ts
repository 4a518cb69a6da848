// `trapline run` from end to end, in this process: exit statuses, limits, statistics, ledger, bad input. The world around
// it is an array of strings.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { before, test } from 'node:test';
import type { RunEnvironment } from '../../src/cli/environment.ts';
import { UsageError } from '../../src/cli/exit-status.ts';
import { GuestProfile, SAMPLE_INTERVAL } from '../../src/cli/guest-profile.ts';
import { KernelSymbols } from '../../src/cli/kernel-symbols.ts';
import { run } from '../../src/cli/run.ts';
import type { DiskOption, RunOptions } from '../../src/cli/run-options.ts';
import type { EngineModules } from '../../src/core/engine.ts';
import { SharedDisks } from '../../src/entry/shared-disks.ts';
import { loadEngineModules } from '../../src/entry/node-files.ts';
import { readWholeFile } from '../../src/entry/regular-file.ts';
import { linuxImage, pvhImage } from './boot-files.ts';
import { loadKernel } from '../../src/machine/boot/load-kernel.ts';
import { Machine } from '../../src/machine/machine.ts';
import type { OpenDisk } from '../../src/machine/virtio/disk-image.ts';

const guest = (name: string): string => fileURLToPath(new URL(`../../guests/smp/${name}`, import.meta.url));
const expected = readFileSync(guest('expected-output.txt'), 'utf8');
let modules: EngineModules;
before(async () => {
  modules = await loadEngineModules();
});

class World implements RunEnvironment {
  text = '';
  readonly lines: string[] = [];
  readonly files = new Map<string, string>();
  readonly inputs = new Map<string, Uint8Array>();
  private clock = 0;
  readonly input = { interactive: false, ended: true, start: () => undefined, stop: () => undefined };
  private readonly decoder = new TextDecoder();
  /** Milliseconds that pass with each look at the clock. */
  private readonly pace: number;

  constructor(pace = 0) {
    this.pace = pace;
  }
  loadModules(): Promise<EngineModules> {
    return Promise.resolve(modules);
  }
  readFile(path: string, limit?: number): Promise<Uint8Array> {
    const bytes = this.inputs.get(path);
    return bytes === undefined ? readWholeFile(path, limit) : Promise.resolve(bytes);
  }
  createTextFile(path: string) {
    if (path.startsWith('/nowhere')) throw new Error(`${path}: there is no such directory.`);
    this.files.set(path, '');
    return {
      write: (text: string) => void this.files.set(path, (this.files.get(path) ?? '') + text),
      close: () => undefined,
    };
  }
  createByteFile(path: string) {
    if (path.startsWith('/nowhere')) throw new Error(`${path}: there is no such directory.`);
    this.files.set(path, '');
    return {
      write: (bytes: Uint8Array) =>
        void this.files.set(path, (this.files.get(path) ?? '') + Buffer.from(bytes).toString()),
      close: () => undefined,
    };
  }
  openDisks(disks: readonly DiskOption[]): readonly OpenDisk[] {
    return new SharedDisks().openAll(disks, () => '--disk');
  }
  output(bytes: Uint8Array): void {
    this.text += this.decoder.decode(bytes, { stream: true });
  }
  say(line: string): void {
    this.lines.push(line);
  }
  outputRead(): undefined {}
  readonly endStatus: number | undefined = undefined;
  now(): number {
    this.clock += this.pace;
    return this.clock;
  }
  pause(): Promise<void> {
    return Promise.resolve();
  }
}
const options = (more: Partial<RunOptions> = {}): RunOptions => ({
  kernel: guest('smp.elf'),
  cpus: 4,
  memorySize: 64 << 20,
  jit: true,
  profile: 'intel',
  busLockDetection: false,
  digest: false,
  disks: [],
  ...more,
});

const JIT_KEYS = ['share', 'regions', 'modules', 'instructions', 'bytes', 'compileMs', 'exits', 'failures'];

test('--no-jit: the JIT part of the statistics is there, and zero', async () => {
  const world = new World();
  await run(options({ jit: false, statsFile: 's', maxInstructions: 100_000 }), world);
  const stats: unknown = JSON.parse(world.files.get('s') ?? '');
  assert.ok(typeof stats === 'object' && stats !== null && 'jit' in stats);
  const none = Object.fromEntries(JIT_KEYS.map((key) => [key, key === 'exits' || key === 'failures' ? {} : 0]));
  assert.deepEqual(stats.jit, none);
});

test('the sample guest: output and status as under QEMU; statistics, ledger, digest', async () => {
  const world = new World();
  const files = { statsFile: 's.json', ledgerFile: 'l.jsonl', digest: true };
  const status = await run(options(files), world);
  assert.equal(world.text.replaceAll('\r', ''), expected);
  assert.equal(status, 85);
  const stats: unknown = JSON.parse(world.files.get('s.json') ?? '');
  assert.ok(typeof stats === 'object' && stats !== null);
  const keys = ['instructions', 'virtualNs', 'wallMs', 'mips', 'perVcpu', 'jit', 'traps', 'digest', 'exit'];
  assert.deepEqual(Object.keys(stats), keys);
  assert.ok('exit' in stats);
  assert.deepEqual(stats.exit, { reason: 'exit', status: 85 });
  assert.ok('jit' in stats && typeof stats.jit === 'object' && stats.jit !== null);
  const { jit } = stats;
  assert.deepEqual(Object.keys(jit), JIT_KEYS);
  assert.ok('share' in jit && Number(jit.share) > 0 && Number(jit.share) <= 1, JSON.stringify(jit));
  assert.ok('exits' in jit && JSON.stringify(jit.exits).includes('"system.'), JSON.stringify(jit));
  const ledger = (world.files.get('l.jsonl') ?? '').trim().split('\n');
  assert.ok(ledger.length >= 4 * (7 + 175), `${ledger.length} traps`);
  assert.match(world.lines.at(-1) ?? '', /^digest [0-9a-f]{32}$/);
});

for (const cpus of [1, 2, 8, 16]) {
  test(`the sample guest on ${cpus} processors`, async () => {
    const world = new World();
    assert.equal(await run(options({ cpus }), world), 85);
    assert.equal(world.text.replaceAll('\r', ''), readFileSync(guest(`expected-output.smp${cpus}.txt`), 'utf8'));
  });
}

test('its ELF32 twin', async () => {
  const world = new World();
  assert.equal(await run(options({ kernel: guest('smp32.elf') }), world), 85);
  assert.equal(world.text.replaceAll('\r', ''), expected);
});

interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
    readonly hitCount: number;
    readonly children: readonly number[];
  }[];
  readonly startTime: number;
  readonly endTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}
const profileOf = (world: World): Profile => JSON.parse(world.files.get('p.cpuprofile') ?? '') as Profile;

test('--profile: a V8 profile by symbol; the run is the same, bit for bit', async () => {
  const [plain, profiled, again, interpreted] = [new World(), new World(), new World(), new World()];
  const digests = [];
  for (const [world, more] of [
    [plain, {}],
    [profiled, { profileFile: 'p.cpuprofile' }],
    [again, { profileFile: 'p.cpuprofile' }],
    [interpreted, { profileFile: 'p.cpuprofile', jit: false }],
  ] as const) {
    assert.equal(await run(options({ digest: true, ...more }), world), 85);
    digests.push(world.lines.at(-1));
  }
  assert.match(digests[0] ?? '', /^digest/);
  assert.deepEqual(new Set(digests).size, 1);
  assert.equal(profiled.text, plain.text);
  assert.deepEqual(profileOf(profiled), profileOf(again));
  assert.deepEqual(profileOf(profiled), profileOf(interpreted));

  const { nodes, startTime, endTime, samples, timeDeltas } = profileOf(profiled);
  assert.ok(samples.length > 50, `${samples.length} samples`);
  assert.equal(timeDeltas.length, samples.length);
  assert.ok(timeDeltas.every((delta) => Number.isInteger(delta) && delta >= 0));
  const sum = timeDeltas.reduce((total, delta) => total + delta, startTime);
  assert.ok(sum <= endTime && endTime - sum < 1000, `samples until ${sum}, end ${endTime}`);
  // a tree: ids from 1 on, one root, each other node below exactly one
  assert.deepEqual(
    nodes.map(({ id }) => id),
    nodes.map((_, i) => i + 1),
  );
  const below = nodes.flatMap(({ children }) => children).toSorted((a, b) => a - b);
  assert.deepEqual(
    below,
    nodes.slice(1).map(({ id }) => id),
  );
  for (const { id, hitCount } of nodes) assert.equal(hitCount, samples.filter((sample) => sample === id).length);
  const names = (ids: readonly number[]): string[] => ids.map((id) => nodes[id - 1]?.callFrame.functionName ?? '');
  const roots = names(nodes[0]?.children ?? []);
  for (const vcpu of [0, 1, 2, 3]) assert.ok(roots.includes(`vCPU ${vcpu}, ring 0`), roots.join(', '));
  const all = names(below);
  assert.ok(all.filter((name) => /^[a-z_]\w+$/i.test(name)).length >= 5, `symbols: ${all.join(', ')}`);
});

test('a profile of code without symbols counts pages', async () => {
  const machine = new Machine(modules, { cpus: 1, memorySize: 64 << 20 });
  const file = guest('smp.elf');
  loadKernel(machine, { kernel: { name: file, bytes: await readWholeFile(file) }, initrd: undefined, append: '' });
  const profile = new GuestProfile(machine);
  assert.equal(profile.left, SAMPLE_INTERVAL);
  for (let i = 0; i < 10; i++) {
    machine.run(Math.ceil(SAMPLE_INTERVAL / 5));
    profile.look();
  }
  const symbols = new KernelSymbols(Uint8Array.of(1, 2, 3), 'no ELF file', machine);
  const { nodes, endTime, samples } = await profile.finish(symbols);
  symbols.dispose();
  assert.ok(samples.length >= 2, `${samples.length} samples`);
  assert.equal(endTime, Number(machine.clock / 1000n));
  const names = nodes.slice(1).map(({ callFrame }) => callFrame.functionName);
  for (const name of names) assert.match(name, /^(vCPU 0, ring 0|\(idle\)|0x[0-9a-f]+000-0x[0-9a-f]+fff)$/);
  assert.ok(names.some((name) => name.endsWith('fff')));
});

test('--until ends at the match', async () => {
  const world = new World();
  assert.equal(await run(options({ until: /4 processors/m }), world), 0);
  assert.match(world.text, /4 processors[^\n]*\r?\n$/, 'nothing is printed behind the matching line');
});

test('--max-instructions and --timeout give 124', async () => {
  const limited = new World();
  assert.equal(await run(options({ maxInstructions: 123_457, statsFile: 's' }), limited), 124);
  assert.match(limited.files.get('s') ?? '', /"instructions": 123457/);
  const timed = new World(40_000);
  assert.equal(await run(options({ timeoutSeconds: 60 }), timed), 124);
  assert.match(timed.lines.join(), /--timeout/);
});

/** A Multiboot kernel of a few bytes of 32-bit code, by address fields. */
function tiny(code: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(64 + code.length);
  const view = new DataView(bytes.buffer);
  const header = [0x1badb002, 0x10000, -(0x1badb002 + 0x10000), 0x100000, 0x100000, 0, 0, 0x100040];
  header.forEach((value, i) => view.setUint32(i * 4, value >>> 0, true));
  bytes.set(code, 64);
  return bytes;
}
async function runTiny(
  code: readonly number[],
  more: Partial<RunOptions> = {},
): Promise<{ status: number; world: World }> {
  const world = new World();
  world.inputs.set('tiny', tiny(code));
  const status = await run(options({ kernel: 'tiny', cpus: 1, memorySize: 4 << 20, ...more }), world);
  return { status, world };
}

test('exit statuses of small kernels', async () => {
  // mov al, 3; out 0xf4, al
  assert.equal((await runTiny([0xb0, 3, 0xe6, 0xf4])).status, 7);
  // mov dx, 0x604; mov ax, 0x2000; out dx, ax
  assert.equal((await runTiny([0x66, 0xba, 4, 6, 0x66, 0xb8, 0, 0x20, 0x66, 0xef])).status, 0);
  // mov al, 0xfe; out 0x64, al
  assert.equal((await runTiny([0xb0, 0xfe, 0xe6, 0x64])).status, 0);
});

test('a triple fault names vCPU, RIP and vectors', async () => {
  const { status, world } = await runTiny([0x90, 0x0f, 0x0b]); // nop; ud2, without an IDT
  assert.equal(status, 4);
  assert.match(world.lines.join('\n'), /Triple fault on vCPU 0 at 0x100041.*#UD -> .*#DF -> shutdown/);
});

test('halted for good is said and ends the run', async () => {
  const { status, world } = await runTiny([0xfa, 0xf4]); // cli; hlt
  assert.equal(status, 124);
  assert.match(world.lines.join(), /halted/);
});

test('a guest that hangs with interrupts off when its run is cut short is said to', async () => {
  const limits = { maxInstructions: 1_100_000_000 };
  const hung = await runTiny([0xfa, 0xeb, 0xfe], limits); // cli; jmp $
  assert.equal(hung.status, 124);
  assert.equal(
    hung.world.lines.at(-1),
    'The guest hangs with interrupts off on every processor: vCPU 0 spins at 0x100041.',
  );
  const busy = await runTiny([0xfb, 0xeb, 0xfe], { maxInstructions: 2_000_000 }); // sti; jmp $
  assert.doesNotMatch(busy.world.lines.join(), /hangs/);
});

test('a Linux kernel that cannot be booted here: one clear line each', async () => {
  const refused = async (kernel: Uint8Array, memorySize: number, message: RegExp, initrd = 1): Promise<void> => {
    const world = new World();
    world.inputs.set('vmlinuz', kernel);
    world.inputs.set('initrd', new Uint8Array(initrd));
    await assert.rejects(
      () => run(options({ kernel: 'vmlinuz', initrd: 'initrd', cpus: 1, memorySize }), world),
      (error) => error instanceof UsageError && message.test(error.message) && !error.message.includes('\n'),
    );
  };
  await refused(linuxImage(), 2 << 20, /init_size: needs memory up to 0x1100000 .* give it at least 18M with --memory/);
  await refused(linuxImage(), 32 << 20, /^initrd: its 33554432 bytes do not fit behind the kernel/, 32 << 20);
  await refused(linuxImage({ xloadflags: 0 }), 32 << 20, /xloadflags: says that this kernel has no 64-bit entry point/);
  await refused(linuxImage().subarray(0, 2048), 32 << 20, /syssize: .* it was cut off/);
  await refused(
    pvhImage({ entry: undefined }),
    32 << 20,
    /not a kernel that Trapline can boot: it is an ELF file without/,
  );
});

test('unknown ports and memory are named once and read all-ones', async () => {
  // in al, 0x99; in al, 0x99; cmp al, -1; jne +4; mov eax, [0xd0000000]; out 0xf4, al
  const code = [0xe4, 0x99, 0xe4, 0x99, 0x3c, 0xff, 0x75, 5, 0xa1, 0, 0, 0, 0xd0, 0xe6, 0xf4];
  const { status, world } = await runTiny(code);
  assert.equal(status, 0xff);
  assert.deepEqual(world.lines, [
    'I/O port 0x99, read by the guest, belongs to no device: reads as all-ones.',
    'Physical address 0xd0000000, read by the guest, is neither RAM nor a device: reads as all-ones.',
  ]);
});

test('unreadable input and output', async () => {
  const refused = async (more: Partial<RunOptions>, message: RegExp): Promise<void> => {
    await assert.rejects(
      () => run(options(more), new World()),
      (error) => error instanceof UsageError && message.test(error.message) && !error.message.includes('\n'),
    );
  };
  await refused({ kernel: '/nowhere/k' }, /--kernel: \/nowhere\/k: there is no such file/);
  await refused({ kernel: guest('.') }, /is a directory/);
  await refused({ kernel: guest('boot.S') }, /boot\.S, offset 0x0: not a kernel that Trapline can boot: it is neither/);
  await refused({ initrd: '/nowhere/i' }, /--initrd/);
  await refused({ ledgerFile: '/nowhere/l' }, /--ledger/);
  await refused({ disks: [{ file: '/nowhere/d', writable: false }] }, /--disk: \/nowhere\/d: there is no such file/);
  await refused({ disks: [{ file: guest('boot.S'), writable: true }] }, /not a whole number of 512-byte sectors/);
  await refused({ portFile: '/nowhere/p' }, /--port/);
  await refused({ portInputFile: '/nowhere/p' }, /--port-input: \/nowhere\/p: there is no such file/);
  await refused({ statsFile: '/nowhere/s' }, /--stats/);
  await refused({ profileFile: '/nowhere/p' }, /--cpu-profile: \/nowhere\/p: there is no such directory/);
  const huge = new World();
  huge.inputs.set('initrd', new Uint8Array(64 << 20));
  await assert.rejects(() => run(options({ initrd: 'initrd' }), huge), /initrd: its 67108864 bytes do not fit/);
});
