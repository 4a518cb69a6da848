/** Paths of the debugging information and paths on this machine. */
import type { SourceFile, SymbolFile } from '../symbols/index.ts';
import type { Files } from './host.ts';

export interface SourcePathOptions {
  readonly sourceMap: Readonly<Record<string, string>>;
  /** The kernel's file: sources are often beside it or above it. */
  readonly kernel: string;
  /** Told one sentence, once for each entry of `sourceMap`, when a file is not where the entry puts it. */
  readonly say?: (sentence: string) => void;
}

/** How many folders above the kernel's are looked into. */
const ANCESTORS = 6;

export class SourcePaths {
  private readonly files: Files;
  private readonly map: readonly (readonly [string, string])[];
  private readonly folders: readonly string[];
  private readonly found = new Map<string, Promise<string | undefined>>();
  private readonly say: (sentence: string) => void;
  /** Entries of the map of which it was said that a file is missing. */
  private readonly said = new Set<string>();

  constructor(files: Files, options: SourcePathOptions) {
    this.files = files;
    this.say = options.say ?? (() => undefined);
    // The longest prefix is the most special one.
    this.map = Object.entries(options.sourceMap).sort(([a], [b]) => b.length - a.length);
    const folders: string[] = [];
    let folder = parentOf(files.resolve(options.kernel));
    for (let i = 0; i <= ANCESTORS && folder !== ''; i++) {
      folders.push(folder);
      folder = parentOf(folder);
    }
    this.folders = folders;
  }

  /** Where a source file is on this machine; undefined when it is not there. */
  local(path: string): Promise<string | undefined> {
    const known = this.found.get(path);
    if (known !== undefined) return known;
    const search = this.search(path);
    this.found.set(path, search);
    return search;
  }

  private async search(path: string): Promise<string | undefined> {
    for (const [from, to] of this.map) {
      const rest = withoutPrefix(path, from);
      if (rest === undefined) continue;
      const mapped = rest === '' ? to : `${to.replace(/[/\\]+$/, '')}/${rest}`;
      const local = this.files.resolve(mapped);
      if (await this.files.exists(local)) return local;
      // What the user said stands: no other file is taken for it. An editor that is sent to a missing file shows an error
      // in place of everything; without a source it gets the machine code.
      if (!this.said.has(from)) {
        this.said.add(from);
        this.say(
          `'sourceMap' puts ${path} at ${local}, and there is no such file: the machine code is shown instead. Get the sources, or correct the entry '${from}'.`,
        );
      }
      return undefined;
    }
    if (isAbsolute(path) && (await this.files.exists(path))) return path;
    const parts = path.split(/[/\\]/).filter((part) => part !== '' && part !== '.');
    for (const folder of this.folders) {
      // From the whole path to the bare name; the bare name only beside the kernel, where it means what it says.
      const shortest = folder === this.folders[0] ? 1 : 2;
      for (let start = 0; parts.length - start >= shortest; start++) {
        const candidate = `${folder}/${parts.slice(start).join('/')}`;
        if (await this.files.exists(candidate)) return candidate;
      }
    }
    return undefined;
  }

  /** The files of the debugging information that a path of the client means. */
  async filesFor(symbols: SymbolFile, clientPath: string): Promise<readonly SourceFile[]> {
    const asked = new Set([clientPath]);
    for (const [from, to] of this.map) {
      const rest = withoutPrefix(clientPath, this.files.resolve(to));
      if (rest !== undefined) asked.add(`${from.replace(/[/\\]+$/, '')}/${rest}`);
    }
    const wanted = normalized(clientPath);
    const loose: SourceFile[] = [];
    const exact: SourceFile[] = [];
    for (const path of asked) {
      for (const file of await symbols.findSourceFiles(path)) {
        const local = await this.local(file.path);
        if (local !== undefined && normalized(local) === wanted) exact.push(file);
        // A file that is known to be somewhere else only shares its name with the one that is meant.
        else if (local === undefined) loose.push(file);
      }
    }
    const chosen = exact.length > 0 ? exact : loose;
    return chosen.filter((file, index) => chosen.findIndex(({ id }) => id === file.id) === index);
  }
}

function withoutPrefix(path: string, prefix: string): string | undefined {
  const clean = prefix.replace(/[/\\]+$/, '');
  if (path === clean) return '';
  // "" and "." map everything that is relative.
  if ((clean === '' || clean === '.') && !isAbsolute(path)) return path;
  const next = path.charAt(clean.length);
  return clean !== '' && path.startsWith(clean) && (next === '/' || next === '\\')
    ? path.slice(clean.length + 1)
    : undefined;
}

function isAbsolute(path: string): boolean {
  return path.startsWith('/') || /^[A-Za-z]:[/\\]/.test(path);
}
function parentOf(path: string): string {
  const index = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\'));
  return index <= 0 ? '' : path.slice(0, index);
}
/** Windows' editors write drive letters in either case. */
function normalized(path: string): string {
  const forward = path.replaceAll('\\', '/');
  return /^[A-Za-z]:/.test(forward) ? forward.toLowerCase() : forward;
}
