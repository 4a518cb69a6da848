/** What the client said of itself in `initialize`: who it is, how it counts and writes places, what it can show. */
import type { P } from './protocol.ts';

/** Clients that show a `stopped` event for each thread, and keep the focus when one says so; forks call themselves the same. */
const CLIENTS_WITH_FOCUS_HINT: ReadonlySet<string> = new Set(['vscode']);

/** Our own extension puts this argument into its launches. */
const OWN_EXTENSION = '__trapline';

/** What is used of the arguments of `initialize`. */
export interface Introduction {
  readonly clientID?: string | undefined;
  readonly linesStartAt1?: boolean | undefined;
  readonly columnsStartAt1?: boolean | undefined;
  readonly pathFormat?: 'path' | 'uri' | undefined;
  readonly supportsProgressReporting?: boolean | undefined;
  readonly supportsMemoryEvent?: boolean | undefined;
}

export class Client {
  /** What a client counts its first line and its first column as: 0 or 1. Inside the adapter both are 1. */
  readonly firstLine: 0 | 1;
  readonly firstColumn: 0 | 1;
  private readonly said: Introduction;
  private own = false;

  constructor(said: Introduction = {}) {
    this.said = said;
    this.firstLine = said.linesStartAt1 === false ? 0 : 1;
    this.firstColumn = said.columnsStartAt1 === false ? 0 : 1;
  }

  /** The client is our own extension: its terminal takes the serial port as bytes. */
  get isOwnExtension(): boolean {
    return this.own;
  }
  /** @param argument of `launch` */
  launches(argument: object): void {
    this.own = OWN_EXTENSION in argument;
  }

  /** One stop may be told by several events, of which all but the first ask to leave the focus where it is. */
  get keepsFocus(): boolean {
    return CLIENTS_WITH_FOCUS_HINT.has(this.said.clientID ?? '');
  }
  get showsProgress(): boolean {
    return this.said.supportsProgressReporting === true;
  }
  get showsMemoryChanges(): boolean {
    return this.said.supportsMemoryEvent === true;
  }
  private get writesUris(): boolean {
    return this.said.pathFormat === 'uri';
  }

  /** A line or column of ours as the client counts it. */
  line(ours: number): number {
    return ours - 1 + this.firstLine;
  }
  column(ours: number): number {
    return ours - 1 + this.firstColumn;
  }
  /** A line or column of the client's as we count it. */
  ourLine(theirs: number): number {
    return theirs - this.firstLine + 1;
  }
  ourColumn(theirs: number): number {
    return theirs - this.firstColumn + 1;
  }

  /** A path of this machine as the client writes it. */
  path(ours: string): string {
    return this.writesUris ? fileUri(ours) : ours;
  }
  /** A path of the client's as this machine writes it; undefined for a URI that names no file. */
  ourPath(theirs: string): string | undefined {
    return this.writesUris ? filePath(theirs) : theirs;
  }
  /** A source with its path as the client writes it. That of a listing is a name only. */
  source(ours: P.Source): P.Source {
    const { path, sourceReference } = ours;
    return path === undefined || (sourceReference ?? 0) > 0 ? ours : { ...ours, path: this.path(path) };
  }
}

/** RFC 8089: `file:///home/a%20b.c`, `file:///C:/a.c`, `file://host/share/a.c`. */
function fileUri(path: string): string {
  const forward = path.replaceAll('\\', '/');
  const encoded = forward
    .split('/')
    .map((part) => encodeURIComponent(part).replace(/^([A-Za-z])%3A$/, '$1:'))
    .join('/');
  if (encoded.startsWith('//')) return `file:${encoded}`;
  return encoded.startsWith('/') ? `file://${encoded}` : `file:///${encoded}`;
}

function filePath(uri: string): string | undefined {
  const parts = /^file:(?:\/\/([^/]*))?(\/.*)$/i.exec(uri);
  if (parts === null) return undefined;
  const host = parts[1] ?? '';
  try {
    const path = decodeURIComponent(parts[2] ?? '');
    if (host !== '' && host !== 'localhost') return `//${host}${path}`;
    return /^\/[A-Za-z]:/.test(path) ? path.slice(1) : path;
  } catch {
    return undefined;
  }
}
