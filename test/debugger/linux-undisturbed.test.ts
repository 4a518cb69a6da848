// Debian's kernel with a debugger at work from its first instruction to its last: breakpoints with false conditions in hot
// functions, watchpoints, thousands of steps. Console, clock and every bit of the machine end as without one; and the
// guest's own debugger (the ptrace exercise of guests/linux) works all the while. guest-debug-spec T-C6, T-C7.
// TRAPLINE_LINUX_DEBUG_CPUS and TRAPLINE_LINUX_DEBUG_STEPS say how much of it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { BreakpointWish } from '../../src/debugger/user-breakpoints.ts';
import { Debugger } from '../../src/debugger/debugger.ts';
import { slideOf } from '../../src/debugger/linux/kernel-image.ts';
import { KernelLocator } from '../../src/debugger/linux/kernel-locator.ts';
import { loadEngineModules } from '../../src/entry/node-files.ts';
import type { SliceResult } from '../../src/guestdebug/api.ts';
import { GuestDebug } from '../../src/guestdebug/guest-debug.ts';
import { loadKernel } from '../../src/machine/boot/load-kernel.ts';
import { Machine } from '../../src/machine/machine.ts';
import { createLocalSymbols, kallsymsElf } from '../../src/symbols/index.ts';
import { COMMON_APPEND, guestOrReason } from '../machine/linux/run-guest.ts';
import { endingSentence } from '../../src/words/endings.ts';
import { breakpointText } from '../../src/words/refusals.ts';
import { stopSentence } from '../../src/words/stops.ts';

const cpus = Number(process.env['TRAPLINE_LINUX_DEBUG_CPUS'] ?? 2);
const steps = Number(process.env['TRAPLINE_LINUX_DEBUG_STEPS'] ?? 10_000);
/** Steps are taken in groups, in all phases of the boot. */
const STEPS_AT_ONCE = 100;
/** Virtual nanoseconds between two groups. */
const PACE = 4_600_000;
const LIMIT = 4_000_000_000;

const HOT = `kmem_cache_alloc kmem_cache_free kfree __kmalloc vsnprintf strcmp memcpy memset _raw_spin_lock
  _raw_spin_unlock_irqrestore mutex_lock mutex_unlock schedule try_to_wake_up handle_mm_fault vfs_read do_syscall_64
  update_process_times get_page_from_freelist format_decode`.split(/\s+/);
const WATCHED = ['jiffies', 'nr_threads', 'system_state', 'total_forks'];

const guest = await guestOrReason();

interface End {
  readonly console: string;
  readonly instructions: bigint;
  readonly clock: bigint;
  readonly digest: string;
}

test(
  `T-C6 T-C7 Debian's kernel at ${cpus} vCPUs with 20 breakpoints, 4 watchpoints and ${steps} steps ends as without a debugger`,
  { skip: typeof guest === 'string' ? guest : false, timeout: 1_500_000 },
  async () => {
    if (typeof guest === 'string') return;
    const modules = await loadEngineModules();
    const kernel = { name: 'vmlinuz', bytes: new Uint8Array(readFileSync(guest.kernel)) };
    const initrd = { name: 'initramfs', bytes: new Uint8Array(readFileSync(guest.initrd)) };
    const powerOn = (): { readonly machine: Machine; readonly end: () => End } => {
      const machine = new Machine(modules, { cpus, memorySize: 256 << 20 });
      loadKernel(machine, { kernel, initrd, append: `${COMMON_APPEND} trapline.cpus=${cpus}` });
      const decoder = new TextDecoder();
      let console = '';
      machine.onSerial = (bytes) => (console += decoder.decode(bytes, { stream: true }));
      const end = (): End => {
        const { instructions, clock } = machine;
        return { console, instructions, clock, digest: machine.digest() };
      };
      return { machine, end };
    };

    const plain = powerOn();
    while (plain.machine.run(50_000_000).kind === 'spent') assert.ok(plain.machine.instructions < LIMIT);
    const undisturbed = plain.end();
    assert.match(undisturbed.console, new RegExp(`^TRAPLINE-GUEST-OK cpus=${cpus}\r?$`, 'm'));

    const watched = powerOn();
    const account = await debugAlong(watched.machine);
    const disturbed = watched.end();
    console.log(account);
    assert.equal(disturbed.console, undisturbed.console);
    assert.deepEqual(disturbed, undisturbed);
    // A debugger that saw nothing would prove nothing.
    assert.equal(account.steps, steps);
    assert.ok(account.hits > 100_000, 'the functions are not hot');
    assert.ok(account.writes > 100, 'nothing that is watched was written');
    assert.ok(account.userSteps > 0 && account.kernelSteps > 0, 'steps were not taken in both rings');
  },
);

interface Account {
  hits: number;
  writes: number;
  steps: number;
  kernelSteps: number;
  userSteps: number;
  slide: bigint;
}

/** Runs the guest to its end under the debugger; nothing that is set ever stops it. */
async function debugAlong(machine: Machine): Promise<Account> {
  const account: Account = { hits: 0, writes: 0, steps: 0, kernelSteps: 0, userSteps: 0, slide: -1n };
  const api = new GuestDebug(machine);
  const logged: string[] = [];
  const debugger_ = new Debugger({ machine, api, onLog: ({ text }) => logged.push(text) });
  const locator = new KernelLocator(machine, api);
  locator.arm();
  let nextSteps = machine.clock;
  let left = 0;
  let turn = 0;
  let result: SliceResult = api.resume({ kind: 'continue' });
  while (result.kind !== 'ended') {
    assert.ok(machine.instructions < LIMIT);
    if (result.kind !== 'stopped') {
      if (account.slide >= 0n && account.steps < steps && machine.clock >= nextSteps && left === 0) {
        // User space is the shorter part of a boot: denser there.
        const inUserMode = debugger_.vcpus().some(({ cpl }) => cpl === 3);
        nextSteps = machine.clock + BigInt(inUserMode ? PACE / 4 : PACE);
        left = Math.min(STEPS_AT_ONCE, steps - account.steps);
        api.pause();
      }
      result = api.runSlice(1_000_000);
      continue;
    }
    const image = locator.kernelAt(result.reporter);
    if (image !== undefined) {
      assert.ok(image.kallsyms !== undefined);
      account.slide = (await slideOf(image, undefined)) ?? -1n;
      const bytes = kallsymsElf(image.kallsyms, account.slide);
      const symbols = createLocalSymbols({ openFile: () => assert.fail('nothing is opened') });
      debugger_.addModule('kallsyms', await symbols.open({ kind: 'bytes', bytes }, 'kallsyms'), account.slide);
      await setBreakpoints(debugger_, account);
    }
    assert.ok(['bp', 'step', 'pause'].includes(result.reporter.kind), stopSentence(result.reporter));
    if (result.reporter.kind === 'step') {
      account.steps++;
      left--;
      if (debugger_.vcpus()[result.reporter.vcpu]?.cpl === 3) account.userSteps++;
      else account.kernelSteps++;
    }
    // Whoever is awake, one after the other: a lease on a halted vCPU ends when it wakes.
    const awake = debugger_.vcpus().filter(({ activity }) => activity === 'active');
    if (left % 10 === 0) turn++;
    const next = awake[turn % Math.max(1, awake.length)];
    if (next === undefined) left = 0;
    result = api.resume(
      left > 0 && next !== undefined ? { kind: 'step', vcpu: next.vcpu, mode: 'insn' } : { kind: 'continue' },
    );
  }
  assert.equal(result.ending.kind, 'powerOff', endingSentence(result.ending));
  assert.deepEqual(logged, []);
  return account;
}

async function setBreakpoints(debugger_: Debugger, account: Account): Promise<void> {
  const { modules, api } = debugger_;
  const wishes: BreakpointWish[] = [];
  for (const name of HOT) {
    const [found] = await modules.symbolsNamed(name);
    assert.ok(found !== undefined, `the kernel has no ${name}`);
    const addresses = [found.module.run(found.symbol.address)];
    // Registers, and memory: both are read at every hit.
    const condition = wishes.length % 2 === 0 ? '$rdi == 0x123456789' : 'jiffies == 1 && $rsi == 5';
    wishes.push({ key: name, condition, resolve: () => Promise.resolve({ kind: 'code', addresses }) });
    const counted = api.set({
      kind: 'execution',
      linear: addresses[0] ?? 0n,
      filter: () => (account.hits++, 'continue'),
    });
    assert.ok(counted.verified);
  }
  for (const status of await debugger_.breakpoints.replace('hot', wishes))
    assert.ok(status.verified, breakpointText(status));
  for (const name of WATCHED) {
    const [found] = await modules.symbolsNamed(name);
    assert.ok(found !== undefined, `the kernel has no ${name}`);
    const size = name === 'jiffies' || name === 'total_forks' ? 8 : 4;
    const set = api.set({
      kind: 'data',
      linear: found.module.run(found.symbol.address),
      size,
      access: 'write',
      filter: () => (account.writes++, 'continue'),
    });
    assert.ok(set.verified, JSON.stringify(set));
  }
}
