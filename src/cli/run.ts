// `trapline run`: boots a kernel headless and comes back with its exit status.
import { GuestDebug } from '../guestdebug/guest-debug.ts';
import { BootError } from '../machine/boot/boot-error.ts';
import { loadKernel } from '../machine/boot/load-kernel.ts';
import type { MachineStop } from '../machine/api.ts';
import { Machine, MachineOptionError } from '../machine/machine.ts';
import { vectorName } from '../words/vectors.ts';
import { openDevices, type RunDevices } from './devices.ts';
import type { RunEnvironment, TextSink } from './environment.ts';
import { STATUS, UsageError } from './exit-status.ts';
import { GuestProfile } from './guest-profile.ts';
import { describeHang } from './hang-report.ts';
import { KernelSymbols } from './kernel-symbols.ts';
import { OutputMatcher } from './output-matcher.ts';
import type { RunOptions } from './run-options.ts';
import { statisticsOf } from './statistics.ts';

/** Instructions between two looks at input and the clock. */
const SLICE = 1_000_000;
/** Ctrl-A, and what follows it to end an interactive run. */
const ESCAPE = 0x01;
const ESCAPE_EXIT = ['x', 'X'].map((letter) => letter.charCodeAt(0));

interface Ending {
  readonly reason: string;
  readonly status: number;
}
const hex = (value: bigint): string => `0x${value.toString(16)}`;
/** JSON of a value with 64-bit numbers in it: those become hexadecimal text. */
const toJson = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? hex(part) : part));

/** Runs to the end; answers the exit status. Rejects with UsageError, and with other errors only if Trapline is wrong. */
export async function run(options: RunOptions, environment: RunEnvironment): Promise<number> {
  const kernel = await readInput('--kernel', options.kernel, environment);
  const devices = openDevices(options, environment);
  try {
    return await runOn(devices, kernel, options, environment);
  } finally {
    devices.close();
  }
}

async function runOn(
  devices: RunDevices,
  kernel: Uint8Array,
  options: RunOptions,
  environment: RunEnvironment,
): Promise<number> {
  const machine = await boot(kernel, options, devices, environment);
  await connectPort(machine, devices, options, environment);
  const statsFile = openOutput(environment, '--stats', options.statsFile); // before the run: a wrong path is told at once
  const profileFile = openOutput(environment, '--cpu-profile', options.profileFile);
  const profile = profileFile === undefined ? undefined : new GuestProfile(machine);
  const session = new Session(machine, options, environment, profile);
  let ending: Ending;
  try {
    ending = await session.run();
  } finally {
    session.close();
  }
  if (ending.reason === 'tripleFault' && session.stop?.kind === 'shutdown') {
    environment.say(await describeTripleFault(session.stop, new KernelSymbols(kernel, options.kernel, machine)));
  }
  if (options.digest) environment.say(`digest ${machine.digest()}`);
  if (statsFile !== undefined) {
    const statistics = statisticsOf(machine, session.wallMs, session.traps, ending);
    statsFile.write(`${JSON.stringify(statistics, null, 2)}\n`);
    statsFile.close();
  }
  if (profile !== undefined && profileFile !== undefined) {
    const symbols = new KernelSymbols(kernel, options.kernel, machine);
    profileFile.write(`${JSON.stringify(await profile.finish(symbols))}\n`);
    profileFile.close();
    symbols.dispose();
  }
  return ending.status;
}

/** Linux drops what arrives before its driver is ready, so the input goes in when the guest has said something. */
async function connectPort(
  machine: Machine,
  devices: RunDevices,
  { portInputFile }: RunOptions,
  environment: RunEnvironment,
): Promise<void> {
  let input = portInputFile === undefined ? undefined : await readInput('--port-input', portInputFile, environment);
  machine.onPort = (bytes) => {
    devices.portOutput(bytes);
    if (input === undefined) return;
    machine.sendPort(input);
    input = undefined;
  };
}

async function readInput(
  option: string,
  path: string,
  environment: RunEnvironment,
  limit?: number,
): Promise<Uint8Array> {
  try {
    return await environment.readFile(path, limit);
  } catch (error) {
    throw new UsageError(`${option}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
function openOutput(environment: RunEnvironment, option: string, path: string | undefined): TextSink | undefined {
  if (path === undefined) return undefined;
  try {
    return environment.createTextFile(path);
  } catch (error) {
    throw new UsageError(`${option}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

async function boot(
  kernel: Uint8Array,
  options: RunOptions,
  devices: RunDevices,
  environment: RunEnvironment,
): Promise<Machine> {
  const { initrd, append, cpus, memorySize, jit, profile, busLockDetection, rtcSeconds } = options;
  const ramDisk =
    initrd === undefined
      ? undefined
      : { name: initrd, bytes: await readInput('--initrd', initrd, environment, memorySize) };
  try {
    const machine = new Machine(await environment.loadModules(), {
      cpus,
      memorySize,
      jit,
      profile,
      busLockDetection,
      ...(rtcSeconds === undefined ? {} : { rtcSeconds }),
      ...devices.options,
    });
    loadKernel(machine, { kernel: { name: options.kernel, bytes: kernel }, initrd: ramDisk, append });
    return machine;
  } catch (error) {
    if (error instanceof BootError || error instanceof MachineOptionError) {
      throw new UsageError(error.message, { cause: error });
    }
    throw error;
  }
}

/** One run between boot and exit: slices, input, limits. */
class Session {
  private readonly machine: Machine;
  private readonly options: RunOptions;
  private readonly environment: RunEnvironment;
  private readonly profile: GuestProfile | undefined;
  private readonly matcher: OutputMatcher | undefined;
  private readonly ledger: TextSink | undefined;
  /** Debug traps by owner. The guest-debug layer is attached without a breakpoint: it only keeps account. */
  readonly traps = { hostOwned: 0, reinjected: 0 };
  private readonly started: number;
  private escaped = false;
  private quit = false;
  /** How the machine came to its end. */
  stop: MachineStop | undefined;

  constructor(machine: Machine, options: RunOptions, environment: RunEnvironment, profile: GuestProfile | undefined) {
    this.machine = machine;
    this.profile = profile;
    this.options = options;
    this.environment = environment;
    this.matcher = options.until === undefined ? undefined : new OutputMatcher(options.until);
    this.ledger = openOutput(environment, '--ledger', options.ledgerFile);
    new GuestDebug(machine).onLedger = (entry) => {
      if (entry.owner === 'host') this.traps.hostOwned++;
      else this.traps.reinjected++;
      this.ledger?.write(`${toJson(entry)}\n`);
    };
    machine.onMessage = (text) => environment.say(text);
    machine.onSerial = (bytes) => {
      environment.output(bytes);
      if (this.matcher?.add(bytes) === true) machine.interrupt();
    };
    this.started = environment.now();
  }
  get wallMs(): number {
    return this.environment.now() - this.started;
  }
  close(): void {
    this.environment.input.stop();
    this.ledger?.close();
  }

  async run(): Promise<Ending> {
    const { machine, environment } = this;
    const { input } = environment;
    input.start((bytes) => this.onInput(bytes));
    for (;;) {
      await this.untilRead();
      const limit = this.limit();
      if (limit !== undefined) return limit;
      const stop = this.runSlice(this.slice());
      this.stop = stop;
      if (this.matcher?.matched === true) return { reason: 'until', status: STATUS.success };
      switch (stop.kind) {
        case 'exit':
          return { reason: 'exit', status: stop.status };
        case 'powerOff':
        case 'reset':
          return { reason: stop.kind, status: STATUS.success };
        case 'shutdown':
          return { reason: 'tripleFault', status: STATUS.tripleFault };
        case 'idle':
          if (machine.nextDeadline === undefined && input.ended) {
            environment.say('All processors are halted and nothing can wake them.');
            return { reason: 'halted', status: STATUS.limit };
          }
          await this.sleep();
          break;
        default:
          await environment.pause(0);
      }
    }
  }
  /** One slice, in pieces from sample to sample: input comes in at the same places with and without a profile. */
  private runSlice(ticks: number): MachineStop {
    const { machine, profile } = this;
    const how = { idleJumps: !this.environment.input.interactive };
    if (profile === undefined) return machine.run(ticks, how);
    const end = machine.instructions + BigInt(ticks);
    for (;;) {
      const piece = Math.min(profile.left, Number(end - machine.instructions));
      const pieceEnd = machine.instructions + BigInt(piece);
      const stop = machine.run(piece, how);
      profile.look();
      const goesOn = stop.kind === 'spent' && machine.instructions === pieceEnd && pieceEnd < end;
      if (!goesOn || this.matcher?.matched === true) return stop;
    }
  }
  private slice(): number {
    const { maxInstructions } = this.options;
    if (maxInstructions === undefined) return SLICE;
    return Math.min(SLICE, maxInstructions - Number(this.machine.instructions));
  }
  /** The limit that ended the run, and what the guest was doing if it was doing nothing. */
  private cutShort(reason: 'maxInstructions' | 'timeout', sentence: string): Ending {
    this.environment.say(sentence);
    const hang = describeHang(this.machine);
    if (hang !== undefined) this.environment.say(hang);
    return { reason, status: STATUS.limit };
  }
  private limit(): Ending | undefined {
    const { maxInstructions, timeoutSeconds } = this.options;
    if (this.quit) return { reason: 'quit', status: STATUS.success };
    const { endStatus } = this.environment;
    if (endStatus !== undefined) return { reason: 'signal', status: endStatus };
    if (maxInstructions !== undefined && this.machine.instructions >= BigInt(maxInstructions)) {
      const sentence = `Stopped by --max-instructions after ${this.machine.instructions} instructions.`;
      return this.cutShort('maxInstructions', sentence);
    }
    if (timeoutSeconds !== undefined && this.wallMs >= timeoutSeconds * 1000) {
      return this.cutShort('timeout', `Stopped by --timeout after ${timeoutSeconds} s.`);
    }
    return undefined;
  }
  /** The guest waits for whoever reads its output; nothing of what it does depends on that. */
  private async untilRead(): Promise<void> {
    const { timeoutSeconds } = this.options;
    for (;;) {
      const left = timeoutSeconds === undefined ? Infinity : timeoutSeconds * 1000 - this.wallMs;
      if (this.quit || this.environment.endStatus !== undefined || left <= 0) return;
      const read = this.environment.outputRead(left);
      if (read === undefined) return;
      await read;
    }
  }
  /** Waits for input or the next timer; idle virtual time passes as the wall clock does. */
  private async sleep(): Promise<void> {
    const { machine, environment } = this;
    const { timeoutSeconds } = this.options;
    const { clock: now, nextDeadline: next } = machine;
    let milliseconds = next === undefined ? 1000 : Math.min(Number(next - now) / 1e6, 1000);
    if (timeoutSeconds !== undefined) milliseconds = Math.min(milliseconds, timeoutSeconds * 1000 - this.wallMs);
    const before = environment.now();
    await environment.pause(Math.max(milliseconds, 0));
    const elapsed = environment.now() - before;
    machine.skipIdle(now + BigInt(Math.max(Math.round(elapsed * 1e6), 1)));
  }
  private onInput(bytes: Uint8Array): void {
    if (!this.environment.input.interactive) {
      this.machine.sendSerial(bytes);
      return;
    }
    const passed: number[] = [];
    for (const byte of bytes) {
      if (this.escaped) {
        this.escaped = false;
        if (ESCAPE_EXIT.includes(byte)) this.quit = true;
        else passed.push(byte);
      } else if (byte === ESCAPE) {
        this.escaped = true;
      } else {
        passed.push(byte);
      }
    }
    if (passed.length > 0) this.machine.sendSerial(Uint8Array.from(passed));
  }
}

async function describeTripleFault(
  stop: MachineStop & { readonly kind: 'shutdown' },
  symbols: KernelSymbols,
): Promise<string> {
  const symbol = await symbolAt(stop.rip, symbols);
  symbols.dispose();
  const chain = stop.chain.map(({ vector }) => vectorName(vector)).join(' -> ');
  const vectors = chain === '' ? '' : `, vectors ${chain} -> shutdown`;
  return `Triple fault on vCPU ${stop.vcpu} at ${hex(stop.rip)}${symbol}${vectors}.`;
}

/** " <function+0x12>", or nothing when the kernel has no symbol there. */
async function symbolAt(address: bigint, symbols: KernelSymbols): Promise<string> {
  const hit = await symbols.at(address);
  if (hit === undefined) return '';
  const offset = hit.offset === 0n ? '' : `+${hex(hit.offset)}`;
  return ` <${hit.name}${offset}>`;
}
