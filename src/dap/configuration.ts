/**
 * launch.json. This is the one description of its properties: the TypeScript type, validation, and the table from which
 * the schema, the snippets and the documentation are generated.
 */
import { MAXIMUM_DISKS } from '../machine/pci-devices.ts';

export type SlotPolicySetting = 'hardware';
export type CoverPolicySetting = 'windows' | 'exact';

/** A launch configuration after validation: defaults filled in, sizes in bytes. */
export interface LaunchConfiguration {
  readonly kernel: string;
  readonly initrd?: string;
  readonly cmdline: string;
  readonly symbols: readonly SymbolSetting[];
  readonly sourceMap: Readonly<Record<string, string>>;
  readonly machine: MachineSetting;
  /** true: at the kernel's entry; a name: at this function; `reset`: before the first instruction. */
  readonly stopOnEntry: boolean | string;
  readonly slotPolicy: SlotPolicySetting;
  readonly coverPolicy: CoverPolicySetting;
  readonly stepIrq: 'through' | 'enter' | 'hold';
  readonly reporting: 'sequence' | 'coalesce';
  readonly console: 'integratedTerminal' | 'internalConsole';
  readonly noDebug: boolean;
}
export interface SymbolSetting {
  readonly file: string;
  /** Run-time minus link-time address. */
  readonly offset: bigint;
}
export interface MachineSetting {
  readonly cpus: number;
  /** Bytes. */
  readonly memory: number;
  readonly clock: 'virtual';
  /** Seconds since 1970. */
  readonly rtc: number;
  readonly profile: 'intel' | 'amd';
  /** CPUID announces bus-lock detection. */
  readonly busLockDetection: boolean;
  readonly disks: readonly DiskSetting[];
  /** Seed of the virtio entropy device; undefined: there is none. */
  readonly rngSeed?: number;
}
export interface DiskSetting {
  readonly file: string;
  /** The guest's writes go to the file; else they stay in memory. */
  readonly writable: boolean;
}

/** What launch.json may say, for generators: JSON Schema's words where there are any. */
export interface PropertyDescription {
  readonly type: 'string' | 'boolean' | 'integer' | 'array' | 'object' | readonly ('string' | 'boolean')[];
  readonly description: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly enumDescriptions?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly pattern?: string;
  readonly patternMessage?: string;
  readonly items?: PropertyDescription;
  readonly properties?: Readonly<Record<string, PropertyDescription>>;
  /** Type of the values of an object that has no fixed properties. */
  readonly additionalProperties?: PropertyDescription;
  readonly required?: readonly string[];
}

const MEBIBYTE = 1 << 20;
export const DEFAULT_MEMORY = '256M';
export const DEFAULT_RTC = '2025-01-01T00:00:00Z';

/** All properties of a launch configuration, in the order in which documentation shows them. */
export const launchProperties: Readonly<Record<string, PropertyDescription>> = {
  kernel: {
    type: 'string',
    description:
      'Path of the kernel to boot: a Multiboot ELF file, a Linux kernel image (bzImage), or a vmlinux with a PVH entry point. Debugging information is read from it, or from the files of "symbols".',
  },
  initrd: {
    type: 'string',
    description: 'Path of an initial RAM disk; a Multiboot kernel gets it as its first module.',
  },
  cmdline: { type: 'string', description: 'Command line of the kernel.', default: '' },
  symbols: {
    type: 'array',
    description: 'Further files with symbols and debugging information. Those of the kernel file are always loaded.',
    default: [],
    items: {
      type: 'object',
      description: 'A file with symbols.',
      required: ['file'],
      properties: {
        file: { type: 'string', description: 'Path of the ELF file.' },
        offset: {
          type: 'string',
          description: 'What to add to its link-time addresses, as a hexadecimal number.',
          default: '0x0',
          pattern: '^-?(0[xX][0-9a-fA-F]+|[0-9]+)$',
          patternMessage: 'Write a number such as 0x200000.',
        },
      },
    },
  },
  sourceMap: {
    type: 'object',
    description:
      'Where sources are: prefixes of the paths in the debugging information, and what they become on this machine.',
    default: {},
    additionalProperties: { type: 'string', description: 'Folder on this machine.' },
  },
  machine: {
    type: 'object',
    description: 'The virtual machine.',
    default: {},
    properties: {
      cpus: { type: 'integer', description: 'Number of vCPUs.', default: 1, minimum: 1, maximum: 16 },
      memory: {
        type: 'string',
        description: 'Size of the RAM, in bytes or with the suffix K, M or G. A multiple of 1M, from 2M to 3G.',
        default: DEFAULT_MEMORY,
        pattern: '^[0-9]+[KMG]?$',
        patternMessage: 'Write a size such as 512M.',
      },
      clock: {
        type: 'string',
        description: 'What makes time pass in the guest.',
        default: 'virtual',
        enum: ['virtual'],
        enumDescriptions: ['Time advances with the instructions that are executed: every run is the same.'],
      },
      rtc: {
        type: 'string',
        description: 'Date and time of the real-time clock at power-on (ISO 8601).',
        default: DEFAULT_RTC,
      },
      profile: {
        type: 'string',
        description: 'Whose processor the vCPUs follow where the rules of debugging differ.',
        default: 'intel',
        enum: ['intel', 'amd'],
      },
      busLockDetection: {
        type: 'boolean',
        description:
          'Whether CPUID announces bus-lock detection, and DEBUGCTL and DR6 have its bits. Kernels that do not know it zero the bit in DR6, and may then take any debug exception for a bus lock.',
        default: false,
      },
      disks: {
        type: 'array',
        description: 'Raw disk images. The guest sees each as a virtio disk, in this order.',
        default: [],
        items: {
          type: 'object',
          description: 'A disk.',
          required: ['file'],
          properties: {
            file: { type: 'string', description: 'Path of the image.' },
            writable: {
              type: 'boolean',
              description:
                'Whether what the guest writes goes to the image, which is locked meanwhile. Otherwise the image stays as it is: writes are kept in memory until the session ends.',
              default: false,
            },
          },
        },
      },
      rngSeed: {
        type: 'integer',
        description:
          'Gives the guest a virtio entropy device whose numbers follow from this seed: the same in every run, so not fit for real keys.',
        minimum: 0,
        maximum: 4294967295,
      },
    },
  },
  stopOnEntry: {
    type: ['boolean', 'string'],
    description:
      'Where to stop first: true for the kernel\'s entry point, "reset" for before the first instruction, or the name of a function.',
    default: false,
  },
  slotPolicy: {
    type: 'string',
    description: 'Where data breakpoints go. Software watchpoints, which would have no limit, are not built yet.',
    default: 'hardware',
    enum: ['hardware'],
    enumDescriptions: ['Into the four debug registers of each vCPU; a fifth is refused, as on real hardware.'],
  },
  coverPolicy: {
    type: 'string',
    description: 'How a range of bytes is covered by debug registers.',
    default: 'windows',
    enum: ['windows', 'exact'],
    enumDescriptions: [
      'By aligned windows of 8 bytes; accesses beside the range are filtered out.',
      'By exactly the bytes that are asked for, as real hardware could.',
    ],
  },
  stepIrq: {
    type: 'string',
    description: 'What a step does when an interrupt comes.',
    default: 'through',
    enum: ['through', 'enter', 'hold'],
    enumDescriptions: [
      'The handler runs unseen; the step ends where it would have.',
      "The step ends at the handler's first instruction.",
      'Interrupts wait while a step is under way. This changes what the guest would have done.',
    ],
  },
  reporting: {
    type: 'string',
    description: 'What happens when several vCPUs have something to report at the same moment.',
    default: 'sequence',
    enum: ['sequence', 'coalesce'],
    enumDescriptions: ['One stop after the other, nothing runs between them.', 'One stop that names them all.'],
  },
  console: {
    type: 'string',
    description: "Where the guest's first serial port is shown.",
    default: 'integratedTerminal',
    enum: ['integratedTerminal', 'internalConsole'],
    enumDescriptions: ['In a terminal, with input.', 'In the Debug Console, without input.'],
  },
};

/** Properties that a launch configuration must have. */
export const launchRequired: readonly string[] = ['kernel'];

/** Properties that VS Code and other clients add on their own; `token` opens a port (admission.ts), and says nothing elsewhere. */
const clientProperties: ReadonlySet<string> = new Set([
  'token',
  ...['type', 'request', 'name', 'noDebug', 'trace', 'presentation', 'preLaunchTask', 'postDebugTask', 'debugServer'],
  ...['internalConsoleOptions', 'suppressMultipleSessionWarning', 'restart', 'platform', 'linux', 'osx', 'windows'],
]);
const isClientProperty = (name: string): boolean => name.startsWith('__') || clientProperties.has(name);

/** A launch.json property that is not as it should be; `property` is its path, as in `machine.cpus`. */
export interface ConfigurationProblem {
  readonly property: string;
  readonly message: string;
}

export type ConfigurationResult =
  | { readonly ok: true; readonly configuration: LaunchConfiguration }
  | { readonly ok: false; readonly problems: readonly ConfigurationProblem[] };

type Fields = Readonly<Record<string, unknown>>;

/** Checks a launch configuration against the table and fills in defaults. Names every property that is wrong. */
export function validateLaunch(input: unknown): ConfigurationResult {
  const problems: ConfigurationProblem[] = [];
  if (!isObject(input))
    return { ok: false, problems: [{ property: '', message: 'The launch configuration must be an object.' }] };
  for (const name of launchRequired) {
    if (input[name] === undefined)
      problems.push({
        property: name,
        message: `The property '${name}' is missing: ${launchProperties[name]?.description ?? ''}`,
      });
  }
  checkObject(input, launchProperties, '', problems, isClientProperty);
  if (problems.length > 0) return { ok: false, problems };

  const machine = isObject(input['machine']) ? input['machine'] : {};
  const memory = parseSize(text(machine, 'memory', DEFAULT_MEMORY));
  if (memory === undefined || memory < 2 * MEBIBYTE || memory > 3072 * MEBIBYTE || memory % MEBIBYTE !== 0) {
    problems.push({
      property: 'machine.memory',
      message: `The property 'machine.memory' must be a multiple of 1M from 2M to 3G, not '${text(machine, 'memory', '')}'.`,
    });
  }
  const rtc = Date.parse(text(machine, 'rtc', DEFAULT_RTC));
  if (Number.isNaN(rtc)) {
    problems.push({
      property: 'machine.rtc',
      message: `The property 'machine.rtc' must be a date such as ${DEFAULT_RTC}, not '${text(machine, 'rtc', '')}'.`,
    });
  }
  const kernel = text(input, 'kernel', '');
  if (kernel.trim() === '')
    problems.push({
      property: 'kernel',
      message: `The property 'kernel' is empty: it must be the path of the kernel to boot.`,
    });
  const disks = diskSettings(machine['disks']);
  if (disks.length > MAXIMUM_DISKS)
    problems.push({
      property: 'machine.disks',
      message: `The property 'machine.disks' may name ${MAXIMUM_DISKS} disks, not ${disks.length}.`,
    });
  if (problems.length > 0 || memory === undefined) return { ok: false, problems };

  const initrd = input['initrd'];
  const stop = input['stopOnEntry'];
  return {
    ok: true,
    configuration: {
      kernel,
      ...(typeof initrd === 'string' && initrd !== '' ? { initrd } : {}),
      cmdline: text(input, 'cmdline', ''),
      symbols: symbolSettings(input['symbols']),
      sourceMap: stringRecord(input['sourceMap']),
      machine: {
        cpus: typeof machine['cpus'] === 'number' ? machine['cpus'] : 1,
        memory,
        clock: 'virtual',
        rtc: Math.floor(rtc / 1000),
        profile: text(machine, 'profile', 'intel') === 'amd' ? 'amd' : 'intel',
        busLockDetection: machine['busLockDetection'] === true,
        disks,
        ...(typeof machine['rngSeed'] === 'number' ? { rngSeed: machine['rngSeed'] } : {}),
      },
      stopOnEntry: typeof stop === 'string' || typeof stop === 'boolean' ? stop : false,
      slotPolicy: 'hardware',
      coverPolicy: oneOf(input['coverPolicy'], ['windows', 'exact'], 'windows'),
      stepIrq: oneOf(input['stepIrq'], ['through', 'enter', 'hold'], 'through'),
      reporting: oneOf(input['reporting'], ['sequence', 'coalesce'], 'sequence'),
      console: oneOf(input['console'], ['integratedTerminal', 'internalConsole'], 'integratedTerminal'),
      noDebug: input['noDebug'] === true,
    },
  };
}

function checkObject(
  object: Fields,
  properties: Readonly<Record<string, PropertyDescription>>,
  path: string,
  problems: ConfigurationProblem[],
  ignored: (name: string) => boolean,
): void {
  for (const [name, value] of Object.entries(object)) {
    const property = path === '' ? name : `${path}.${name}`;
    const description = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (description === undefined) {
      if (ignored(name)) continue;
      const near = nearest(name, Object.keys(properties));
      const hint =
        near === undefined ? `Use one of these: ${Object.keys(properties).join(', ')}.` : `Did you mean '${near}'?`;
      problems.push({ property, message: `The property '${property}' does not exist. ${hint}` });
    } else if (value !== undefined && value !== null) {
      checkValue(value, description, property, problems);
    }
  }
}

function checkValue(
  value: unknown,
  expected: PropertyDescription,
  property: string,
  problems: ConfigurationProblem[],
): void {
  const complain = (what: string): void => {
    problems.push({ property, message: `The property '${property}' must be ${what}, not ${shown(value)}.` });
  };
  const types = typeof expected.type === 'string' ? [expected.type] : expected.type;
  if (!types.some((type) => hasType(value, type))) {
    complain(types.map((type) => typeNames[type]).join(' or '));
    return;
  }
  if (expected.enum !== undefined && !expected.enum.some((one) => one === value))
    complain(expected.enum.length === 1 ? expected.enum.join('') : `one of ${expected.enum.join(', ')}`);
  if (typeof value === 'string' && expected.pattern !== undefined && !new RegExp(expected.pattern).test(value)) {
    const { patternMessage } = expected;
    problems.push({
      property,
      message: `The property '${property}' is ${shown(value)}. ${patternMessage ?? ''}`.trim(),
    });
  }
  if (typeof value === 'number') {
    const { minimum = -Infinity, maximum = Infinity } = expected;
    if (value < minimum || value > maximum) complain(`a number from ${minimum} to ${maximum}`);
  }
  if (Array.isArray(value) && expected.items !== undefined) {
    const { items } = expected;
    value.forEach((item: unknown, index) => checkValue(item, items, `${property}[${index}]`, problems));
  } else if (isObject(value)) {
    for (const name of expected.required ?? []) {
      if (value[name] === undefined)
        problems.push({ property: `${property}.${name}`, message: `The property '${property}.${name}' is missing.` });
    }
    const { additionalProperties } = expected;
    if (expected.properties !== undefined) checkObject(value, expected.properties, property, problems, () => false);
    else if (additionalProperties !== undefined) {
      for (const [name, item] of Object.entries(value))
        checkValue(item, additionalProperties, `${property}.${name}`, problems);
    }
  }
}

const typeNames = {
  string: 'a string',
  boolean: 'true or false',
  integer: 'a whole number',
  array: 'a list',
  object: 'an object',
} as const;

function hasType(value: unknown, type: keyof typeof typeNames): boolean {
  switch (type) {
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isObject(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
function shown(value: unknown): string {
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 60 ? `${json.slice(0, 57)}...` : json;
}
function text(object: Fields, name: string, fallback: string): string {
  const value = object[name];
  return typeof value === 'string' ? value : fallback;
}
function diskSettings(value: unknown): readonly DiskSetting[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isObject).map((one) => ({ file: text(one, 'file', ''), writable: one['writable'] === true }));
}
function stringRecord(value: unknown): Readonly<Record<string, string>> {
  if (!isObject(value)) return {};
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
function symbolSettings(value: unknown): readonly SymbolSetting[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isObject).map((one) => {
    const offset = text(one, 'offset', '0');
    const magnitude = BigInt(offset.replace(/^-/, ''));
    return { file: text(one, 'file', ''), offset: offset.startsWith('-') ? -magnitude : magnitude };
  });
}
function oneOf<Choice extends string>(value: unknown, choices: readonly Choice[], fallback: Choice): Choice {
  return choices.find((choice) => choice === value) ?? fallback;
}

/** `512M` -> bytes; undefined when it is not a size. */
export function parseSize(size: string): number | undefined {
  const match = /^(\d{1,12})([KMG]?)$/.exec(size.trim().toUpperCase());
  if (match === null) return undefined;
  const unit = { '': 1, K: 1024, M: MEBIBYTE, G: 1024 * MEBIBYTE }[match[2] ?? ''] ?? 1;
  return Number(match[1]) * unit;
}

/** The known name that differs least, if it is close. */
function nearest(name: string, names: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of names) {
    const distance = editDistance(name.toLowerCase().slice(0, 40), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
