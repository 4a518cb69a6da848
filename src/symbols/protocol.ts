/** What travels between the two ends of a symbol service: requests and replies with an id, plain data only. */

import { SymbolError, type ByteSource, type ElfSummary, type SymbolErrorCode, type SymbolFile } from './api.ts';
import { elfError } from './elf.ts';
import type { SymbolFileReader } from './symbol-file.ts';

/** The queries of a file that can be asked remotely. */
export type QueryName = Exclude<keyof SymbolFile, 'elf' | 'close'>;

export type Request =
  | { readonly id: number; readonly kind: 'open'; readonly source: ByteSource; readonly name: string }
  | {
      readonly id: number;
      readonly kind: 'query';
      readonly file: number;
      readonly query: string;
      readonly arguments: readonly unknown[];
    }
  | { readonly id: number; readonly kind: 'close'; readonly file: number };

export type Reply =
  | { readonly id: number; readonly ok: true; readonly result: unknown }
  | { readonly id: number; readonly ok: false; readonly error: unknown };

/** Result of `open`. */
export interface Opened {
  readonly file: number;
  readonly elf: ElfSummary;
}

/** Reads the arguments of a query, and refuses those that do not fit. */
class Arguments {
  readonly #values: readonly unknown[];
  readonly #file: string;
  #next = 0;

  constructor(values: readonly unknown[], file: string) {
    this.#values = values;
    this.#file = file;
  }

  address(): bigint {
    const value = this.#values[this.#next++];
    if (typeof value === 'bigint') return value;
    throw this.#refuse('an address');
  }

  optionalAddress(): bigint | undefined {
    return this.#values[this.#next] === undefined ? undefined : this.address();
  }

  text(): string {
    const value = this.#values[this.#next++];
    if (typeof value === 'string') return value;
    throw this.#refuse('a string');
  }

  number(): number {
    const value = this.#values[this.#next++];
    if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
    throw this.#refuse('an integer');
  }

  optionalNumber(): number | undefined {
    return this.#values[this.#next] === undefined ? undefined : this.number();
  }

  numbers(): readonly number[] {
    const value: unknown = this.#values[this.#next++];
    if (Array.isArray(value) && value.every((item): item is number => typeof item === 'number')) return value;
    throw this.#refuse('a list of integers');
  }

  #refuse(what: string): SymbolError {
    return elfError(
      'bad-request',
      this.#file,
      null,
      `was asked a question whose argument ${this.#next} is not ${what}`,
    );
  }
}

const queries: { readonly [Name in QueryName]: (file: SymbolFileReader, given: Arguments) => unknown } = {
  symbols: (file) => file.symbols(),
  symbolAt: (file, given) => file.symbolAt(given.address()),
  symbolsNamed: (file, given) => file.symbolsNamed(given.text()),
  symbolsByPrefix: (file, given) => file.symbolsByPrefix(given.text(), given.number()),
  readImage: (file, given) => file.readImage(given.address(), given.number()),
  sourceFiles: (file) => file.sourceFiles(),
  findSourceFiles: (file, given) => file.findSourceFiles(given.text()),
  lineAt: (file, given) => file.lineAt(given.address()),
  lineTable: (file) => file.lineTable(),
  breakpointAddresses: (file, given) =>
    file.breakpointAddresses(given.number(), given.number(), given.optionalNumber()),
  breakpointLocations: (file, given) => file.breakpointLocations(given.number(), given.number(), given.number()),
  functionBreakpoints: (file, given) => file.functionBreakpoints(given.text()),
  prologueEnd: (file, given) => file.prologueEnd(given.address()),
  stepRanges: (file, given) => file.stepRanges(given.address()),
  functionAt: (file, given) => file.functionAt(given.address()),
  functionsNamed: (file, given) => file.functionsNamed(given.text()),
  functions: (file) => file.functions(),
  scopesAt: (file, given) => file.scopesAt(given.address()),
  unitGlobals: (file, given) => file.unitGlobals(given.address()),
  globalsNamed: (file, given) => file.globalsNamed(given.text(), given.optionalAddress()),
  globalNamesByPrefix: (file, given) => file.globalNamesByPrefix(given.text(), given.number()),
  enumeratorNamed: (file, given) => file.enumeratorNamed(given.text(), given.optionalAddress()),
  callSiteAt: (file, given) => file.callSiteAt(given.address()),
  types: (file, given) => file.types(given.numbers(), given.optionalNumber()),
  typeNamed: (file, given) => file.typeNamed(given.text(), given.optionalAddress()),
  unwindRowAt: (file, given) => file.unwindRowAt(given.address()),
  warnings: (file) => file.warnings(),
  checksum: (file) => file.checksum(),
};

function isQueryName(name: string): name is QueryName {
  return Object.hasOwn(queries, name);
}

/** Answers a query. Throws SymbolError. */
export function answer(file: SymbolFileReader, query: string, given: readonly unknown[]): unknown {
  if (!isQueryName(query)) throw elfError('bad-request', file.elf.name, null, `was asked "${query}", which is unknown`);
  return queries[query](file, new Arguments(given, file.elf.name));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/** A request out of a message, or null when it is none. */
export function parseRequest(message: unknown): Request | null {
  if (!isRecord(message)) return null;
  const { id, kind, file, name, query, source } = message as Record<string, unknown> & Partial<Request>;
  const given: unknown = message['arguments'];
  if (typeof id !== 'number') return null;
  if (kind === 'open' && typeof name === 'string') {
    const bytes = parseSource(source);
    return bytes === null ? null : { id, kind, name, source: bytes };
  }
  if (kind === 'query' && typeof file === 'number' && typeof query === 'string' && Array.isArray(given)) {
    return { id, kind, file, query, arguments: given };
  }
  return kind === 'close' && typeof file === 'number' ? { id, kind, file } : null;
}

function parseSource(source: unknown): ByteSource | null {
  if (!isRecord(source)) return null;
  const { kind, bytes, path } = source as Record<'kind' | 'bytes' | 'path', unknown>;
  if (kind === 'bytes' && bytes instanceof Uint8Array) return { kind, bytes };
  return kind === 'file' && typeof path === 'string' ? { kind, path } : null;
}

/** A reply out of a message, or null when it is none. */
export function parseReply(message: unknown): Reply | null {
  if (!isRecord(message)) return null;
  const { id, ok, result, error } = message as Record<'id' | 'ok' | 'result' | 'error', unknown>;
  if (typeof id !== 'number' || typeof ok !== 'boolean') return null;
  return ok ? { id, ok, result } : { id, ok, error };
}

const codes: ReadonlySet<string> = new Set<SymbolErrorCode>([
  'unreadable',
  'empty',
  'not-elf',
  'unsupported',
  'truncated',
  'malformed',
  'closed',
  'bad-request',
  'disconnected',
]);

function isCode(value: unknown): value is SymbolErrorCode {
  return typeof value === 'string' && codes.has(value);
}

/** The error that a reply carries. */
export function parseError(error: unknown): SymbolError {
  const { code, message, file, offset, section } = (isRecord(error) ? error : {}) as Record<
    'code' | 'message' | 'file' | 'offset' | 'section',
    unknown
  >;
  return new SymbolError({
    code: isCode(code) ? code : 'bad-request',
    message: typeof message === 'string' ? message : 'The symbol worker failed without saying why.',
    file: typeof file === 'string' ? file : '',
    offset: typeof offset === 'number' ? offset : null,
    section: typeof section === 'string' ? section : null,
  });
}
