// The command line, split into a command and its checked options.
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { UsageError } from '../cli/exit-status.ts';
import { parseRunOptions, type RunOptions } from '../cli/run-options.ts';

export type Command =
  | { readonly kind: 'run'; readonly options: RunOptions }
  | { readonly kind: 'dap'; readonly door: DapDoor }
  | { readonly kind: 'version' }
  | { readonly kind: 'help' };

/** Where `trapline dap` meets its client. */
export type DapDoor =
  | { readonly kind: 'stdio' }
  /** @property token whether the client has to show one */
  | { readonly kind: 'port'; readonly port: number; readonly token: boolean }
  | { readonly kind: 'socket'; readonly path: string };

const text = { type: 'string' } as const;
const flag = { type: 'boolean' } as const;
const RUN_OPTIONS = {
  kernel: text,
  initrd: text,
  append: text,
  smp: text,
  memory: text,
  'no-jit': flag,
  until: text,
  'max-instructions': text,
  timeout: text,
  stats: text,
  ledger: text,
  profile: text,
  'cpu-profile': text,
  rtc: text,
  clock: text,
  'bus-lock-detection': flag,
  digest: flag,
  disk: { ...text, multiple: true },
  rng: text,
  port: text,
  'port-input': text,
  help: { ...flag, short: 'h' },
} as const;

const DAP_OPTIONS = { port: text, 'no-token': flag, socket: text, help: { ...flag, short: 'h' } } as const;

interface RawDapOptions {
  readonly port?: string | undefined;
  readonly 'no-token'?: boolean | undefined;
  readonly socket?: string | undefined;
}

function parseDoor({ port: portText, socket, 'no-token': noToken }: RawDapOptions): DapDoor {
  if (portText !== undefined && socket !== undefined) {
    throw new UsageError('--port and --socket are two doors: choose one.');
  }
  if (noToken === true && portText === undefined) throw new UsageError('--no-token goes with --port only.');
  if (socket !== undefined) {
    if (socket === '') throw new UsageError('--socket: the path is empty.');
    return { kind: 'socket', path: socket };
  }
  if (portText === undefined) return { kind: 'stdio' };
  const port = /^\d+$/.test(portText) ? Number(portText) : Number.NaN;
  if (!(port <= 65_535)) throw new UsageError(`--port: '${portText}' is not a port number.`);
  return { kind: 'port', port, token: noToken !== true };
}

/** parseArgs with its errors as UsageError: one line, and how to get help. */
function parse<T extends NonNullable<ParseArgsConfig['options']>>(args: string[], options: T) {
  try {
    return parseArgs({ args, options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    const message = error instanceof Error ? (error.message.split(/\.\s|\n/)[0] ?? '') : String(error);
    throw new UsageError(`${message.replace(/\.$/, '')}; see trapline --help.`, { cause: error });
  }
}

/** Understands the arguments behind the program's name. Throws UsageError. */
export function parseCommand([command, ...rest]: readonly string[]): Command {
  switch (command) {
    case undefined:
      throw new UsageError('a command is missing; see trapline --help.');
    case '--help':
    case '-h':
    case 'help':
      return { kind: 'help' };
    case '--version':
      return { kind: 'version' };
    case 'run': {
      const values = parse(rest, RUN_OPTIONS);
      return values.help === true ? { kind: 'help' } : { kind: 'run', options: parseRunOptions(values) };
    }
    case 'dap': {
      const values = parse(rest, DAP_OPTIONS);
      return values.help === true ? { kind: 'help' } : { kind: 'dap', door: parseDoor(values) };
    }
    default:
      throw new UsageError(`'${command}' is not a command; see trapline --help.`);
  }
}
