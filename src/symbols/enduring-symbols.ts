/**
 * A symbol service that outlives its worker. A worker may run out of memory over a huge file, or die of a mistake of ours;
 * the session lives. The first time another one is started and files are opened anew when they are asked next. If that dies,
 * too, names are lost: what looks for the surroundings of an address finds nothing, as in a file without symbols, so that
 * machine code can still be debugged, and what was asked by name is refused with the reason.
 */
import { SymbolError, type ByteSource, type ElfSummary, type SymbolFile, type Symbols } from './api.ts';
import { fileOfQueries, type Answer, type Given } from './file-of-queries.ts';
import type { QueryName } from './protocol.ts';

/** Starts a worker. @param died to be called once, with the reason as a part of a sentence, when it ends by itself */
export type StartSymbols = (died: (reason: string) => void) => Symbols;

/** Workers of a session: after the last one there are no names. */
const WORKERS = 2;

/** Answers of a file without symbols. Questions that are not here were asked by somebody who should hear why not. */
const nothingKnown: { readonly [Name in QueryName]?: Answer<Name> } = {
  symbolAt: null,
  lineAt: null,
  prologueEnd: null,
  stepRanges: null,
  functionAt: null,
  scopesAt: [],
  unitGlobals: [],
  callSiteAt: null,
  unwindRowAt: null,
  warnings: [],
};

/** @param say hears one sentence for the user each time a worker died */
export function createEnduringSymbols(start: StartSymbols, say: (sentence: string) => void): Symbols {
  let workers = 0;
  let service: Symbols | undefined;
  let reason = '';
  let over = false;

  const startNext = (): void => {
    workers++;
    const died = (why: string): void => {
      if (over) return;
      reason = why;
      service = undefined;
      if (workers < WORKERS) startNext();
      say(
        service === undefined
          ? `The symbol worker ended again (${why}): names and source lines are not known any more; machine code, registers and memory are. Leave large symbol files out and start a new session.`
          : `The symbol worker ended (${why}) and was started again: what was looked up just then was not found; ask again.`,
      );
    };
    service = start(died);
  };
  startNext();

  const current = (): Symbols => {
    if (service !== undefined) return service;
    const why = over ? 'The connection to the symbol worker was closed.' : `The symbol worker ended (${reason}).`;
    throw new SymbolError({ code: 'disconnected', message: why, file: '', offset: null, section: null });
  };
  return {
    open: async (source, name) => {
      const used = current();
      return enduringFile({ current, source, name }, used, await used.open(source, name));
    },
    dispose: () => {
      over = true;
      const last = service;
      service = undefined;
      return last?.dispose();
    },
  };
}

interface Origin {
  /** The service that is used now. Throws SymbolError when there is none. */
  readonly current: () => Symbols;
  readonly source: ByteSource;
  readonly name: string;
}

function enduringFile({ current, source, name }: Origin, first: Symbols, opened: SymbolFile): SymbolFile {
  let service = first;
  let file: Promise<SymbolFile> = Promise.resolve(opened);
  let closed = false;

  const openAnew = async (used: Symbols): Promise<SymbolFile> => {
    const again = await used.open(source, name);
    if (identity(again.elf) === identity(opened.elf)) return again;
    await again.close();
    const message = `${name} has changed since it was opened: restart the session to use it.`;
    throw new SymbolError({ code: 'closed', message, file: name, offset: null, section: null });
  };
  const ask = async <Name extends QueryName>(query: Name, given: Given<Name>): Promise<Answer<Name>> => {
    try {
      const used = current();
      if (used !== service && !closed) {
        service = used;
        file = openAnew(used);
        file.catch(() => undefined); // whoever asks hears of it
      }
      // Each question is called with its own arguments: `Ask` ties them together.
      const answer = (await file)[query] as (...all: readonly unknown[]) => unknown;
      return (await answer(...given)) as Answer<Name>;
    } catch (error) {
      const lost = error instanceof SymbolError && error.code === 'disconnected' && query in nothingKnown;
      if (!lost) throw error;
      return nothingKnown[query] as Answer<Name>;
    }
  };
  return fileOfQueries(opened.elf, ask, async () => {
    closed = true;
    try {
      await (await file).close();
    } catch (error) {
      // What the worker had open is gone with it.
      if (!(error instanceof SymbolError)) throw error;
    }
  });
}

/** Numbers of sources and types mean the same in two files of this identity. */
function identity({ buildId, entry, sections }: ElfSummary): string {
  return JSON.stringify([buildId, String(entry), sections.map(({ name, size }) => [name, String(size)])]);
}
