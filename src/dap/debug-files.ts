/** The file with a stripped file's debugging information, found as gdb finds it (its manual, "Separate Debug Files"). */
import type { SymbolFile, Symbols } from '../symbols/index.ts';
import { SymbolError } from '../symbols/index.ts';
import type { Files } from './host.ts';

const GLOBAL_FOLDER = '/usr/lib/debug';

/** A debug file; or a sentence about one that is there and cannot be used. */
export type FoundDebugFile =
  | { readonly kind: 'found'; readonly path: string; readonly file: SymbolFile }
  | { readonly kind: 'refused'; readonly message: string };

/** Looks in the folders of build IDs, and beside the file for what its .gnu_debuglink names. Undefined: there is none. */
export async function debugFileOf(
  stripped: SymbolFile,
  path: string,
  files: Files,
  symbols: Pick<Symbols, 'open'>,
): Promise<FoundDebugFile | undefined> {
  let refused: FoundDebugFile | undefined;
  for (const candidate of candidates(stripped, path)) {
    if (candidate === path || !(await files.exists(candidate))) continue;
    try {
      const file = await symbols.open({ kind: 'file', path: candidate }, candidate);
      if (await belongs(stripped, file)) return { kind: 'found', path: candidate, file };
      const message = `${candidate} is not the debug file of ${path}: it is of another build, and is not used.`;
      refused = { kind: 'refused', message };
      await file.close();
    } catch (error) {
      if (!(error instanceof SymbolError)) throw error;
      refused = { kind: 'refused', message: error.message };
    }
  }
  return refused;
}

function candidates({ elf }: SymbolFile, path: string): readonly string[] {
  const { buildId, debugLink } = elf;
  const found: string[] = [];
  if (buildId !== null) found.push(`${GLOBAL_FOLDER}/.build-id/${buildId.slice(0, 2)}/${buildId.slice(2)}.debug`);
  // A name only: a path in it would lead out of the folder.
  if (debugLink !== null && !/[/\\]/.test(debugLink.name)) {
    const folder = path.replace(/[/\\][^/\\]*$/, '');
    found.push(`${folder}/${debugLink.name}`, `${folder}/.debug/${debugLink.name}`);
    found.push(`${GLOBAL_FOLDER}${folder}/${debugLink.name}`);
  }
  return found;
}

/** The build IDs say it; where there are none, the checksum. */
async function belongs(stripped: SymbolFile, debug: SymbolFile): Promise<boolean> {
  const { buildId, debugLink } = stripped.elf;
  if (buildId !== null && debug.elf.buildId !== null) return buildId === debug.elf.buildId;
  return debugLink !== null && (await debug.checksum()) === debugLink.checksum;
}
