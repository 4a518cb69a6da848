// The options of `trapline run`, checked.
import { UsageError } from './exit-status.ts';

export interface RunOptions {
  readonly kernel: string;
  readonly initrd?: string;
  /** Appended to the kernel's name as its command line. */
  readonly append?: string;
  readonly cpus: number;
  /** Bytes. */
  readonly memorySize: number;
  readonly jit: boolean;
  /** Whose processor the vCPUs follow. */
  readonly profile: 'intel' | 'amd';
  /** CPUID announces bus-lock detection. */
  readonly busLockDetection: boolean;
  /** Real-time clock at power-on, seconds since 1970; undefined: the machine's own default. */
  readonly rtcSeconds?: number;
  readonly until?: RegExp;
  readonly maxInstructions?: number;
  readonly timeoutSeconds?: number;
  readonly statsFile?: string;
  readonly ledgerFile?: string;
  /** Where the guest's time profile goes. */
  readonly profileFile?: string;
  readonly digest: boolean;
  readonly disks: readonly DiskOption[];
  /** Seed of the virtio entropy device; undefined: there is none. */
  readonly entropySeed?: number;
  /** Where the output of the virtio console goes; undefined: there is none. */
  readonly portFile?: string;
  /** What the guest reads from the virtio console, once it has written something to it. */
  readonly portInputFile?: string;
}

export interface DiskOption {
  readonly file: string;
  /** Writes go to the file; else they stay in memory. */
  readonly writable: boolean;
}

/** What the parser of the command line found; all values are still text. */
export interface RawRunOptions {
  readonly kernel?: string | undefined;
  readonly initrd?: string | undefined;
  readonly append?: string | undefined;
  readonly smp?: string | undefined;
  readonly memory?: string | undefined;
  readonly until?: string | undefined;
  readonly 'no-jit'?: boolean | undefined;
  readonly 'max-instructions'?: string | undefined;
  readonly timeout?: string | undefined;
  readonly stats?: string | undefined;
  readonly ledger?: string | undefined;
  readonly profile?: string | undefined;
  readonly 'cpu-profile'?: string | undefined;
  readonly rtc?: string | undefined;
  readonly clock?: string | undefined;
  readonly 'bus-lock-detection'?: boolean | undefined;
  readonly digest?: boolean | undefined;
  readonly disk?: readonly string[] | undefined;
  readonly rng?: string | undefined;
  readonly port?: string | undefined;
  readonly 'port-input'?: string | undefined;
}

const DEFAULT_MEMORY = 128 * 2 ** 20;
const UNITS: Readonly<Record<string, number>> = { '': 2 ** 20, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 };

/** Bytes of "512M", "1G", "65536K"; a bare number counts MiB, as in QEMU. */
export function parseMemorySize(text: string): number {
  const match = /^(\d+)([KMG]?)(?:i?B)?$/i.exec(text);
  const unit = UNITS[(match?.[2] ?? '?').toUpperCase()];
  if (match?.[1] === undefined || unit === undefined) {
    throw new UsageError(`--memory: '${text}' is no size; write for example 512M or 1G.`);
  }
  const size = Number(match[1]) * unit;
  if (size % 2 ** 20 !== 0 || size < 2 ** 21 || size > 3 * 2 ** 30) {
    throw new UsageError(`--memory: ${text} is not possible; it must be whole MiB, from 2M to 3G.`);
  }
  return size;
}

function parseCount(option: string, text: string, least: number, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) {
    throw new UsageError(`--${option}: '${text}' is not a whole number from ${least} to ${most}.`);
  }
  return value;
}

function parseExpression(text: string): RegExp {
  try {
    return new RegExp(text, 'm');
  } catch (error) {
    throw new UsageError(`--until: ${error instanceof Error ? error.message : String(error)}.`, { cause: error });
  }
}

function parseSeconds(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value > 0 && value <= 1e9)) throw new UsageError(`--timeout: '${text}' is not a number of seconds above 0.`);
  return value;
}

/** An ISO 8601 date, as launch.json has it, in seconds since 1970. */
function parseDate(text: string): number {
  const milliseconds = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(milliseconds)) {
    throw new UsageError(`--rtc: '${text}' is no date; write for example 2025-01-01T00:00:00Z.`);
  }
  return Math.floor(milliseconds / 1000);
}

/** What a profile's file is called, so that VS Code opens it. */
const PROFILE_SUFFIX = '.cpuprofile';
/** --profile says whose processor it is; its former meaning, the file of --cpu-profile, is told by the file's name. */
function parseProfile(raw: RawRunOptions): { readonly profile: 'intel' | 'amd'; readonly profileFile?: string } {
  const { profile = 'intel', 'cpu-profile': file } = raw;
  const named = file === undefined ? {} : { profileFile: file };
  if (profile === 'intel' || profile === 'amd') return { profile, ...named };
  if (profile.endsWith(PROFILE_SUFFIX) && file === undefined) return { profile: 'intel', profileFile: profile };
  throw new UsageError(`--profile: '${profile}' is neither intel nor amd; --cpu-profile FILE writes a time profile.`);
}

/** FILE or FILE,writable. */
function parseDisk(text: string): DiskOption {
  const suffix = ',writable';
  const writable = text.endsWith(suffix);
  const file = writable ? text.slice(0, -suffix.length) : text;
  if (file === '') throw new UsageError(`--disk: '${text}' names no file; write FILE or FILE,writable.`);
  return { file, writable };
}

/** Checks the options of `run`. Throws UsageError. */
export function parseRunOptions(raw: RawRunOptions): RunOptions {
  if (raw.kernel === undefined || raw.kernel === '') throw new UsageError('run: --kernel FILE is missing.');
  if (raw.clock !== undefined && raw.clock !== 'virtual') {
    throw new UsageError(`--clock: '${raw.clock}' is not possible; the one clock is virtual.`);
  }
  return {
    kernel: raw.kernel,
    ...(raw.initrd === undefined ? {} : { initrd: raw.initrd }),
    ...(raw.append === undefined ? {} : { append: raw.append }),
    cpus: raw.smp === undefined ? 1 : parseCount('smp', raw.smp, 1, 16),
    memorySize: raw.memory === undefined ? DEFAULT_MEMORY : parseMemorySize(raw.memory),
    jit: raw['no-jit'] !== true,
    busLockDetection: raw['bus-lock-detection'] === true,
    ...(raw.rtc === undefined ? {} : { rtcSeconds: parseDate(raw.rtc) }),
    ...(raw.until === undefined ? {} : { until: parseExpression(raw.until) }),
    ...(raw['max-instructions'] === undefined
      ? {}
      : { maxInstructions: parseCount('max-instructions', raw['max-instructions'], 1, Number.MAX_SAFE_INTEGER) }),
    ...(raw.timeout === undefined ? {} : { timeoutSeconds: parseSeconds(raw.timeout) }),
    ...(raw.stats === undefined ? {} : { statsFile: raw.stats }),
    ...(raw.ledger === undefined ? {} : { ledgerFile: raw.ledger }),
    ...parseProfile(raw),
    digest: raw.digest === true,
    disks: (raw.disk ?? []).map(parseDisk),
    ...(raw.rng === undefined ? {} : { entropySeed: parseCount('rng', raw.rng, 0, 0xffff_ffff) }),
    ...(raw.port === undefined ? {} : { portFile: raw.port }),
    ...(raw['port-input'] === undefined ? {} : { portInputFile: raw['port-input'] }),
  };
}
