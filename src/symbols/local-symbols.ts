/** The symbol service in the same thread. */

import {
  SymbolError,
  type ByteSource,
  type ReadableBytes,
  type SymbolFile,
  type SymbolHost,
  type Symbols,
} from './api.ts';
import { bytesInMemory } from './cached-bytes.ts';
import { expandSections } from './compressed-sections.ts';
import { ElfFile, elfError } from './elf.ts';
import { SymbolFileReader } from './symbol-file.ts';

/** A symbol service whose work is done in this thread, when a promise is made. For tests and the command line. */
export function createLocalSymbols(host: SymbolHost): Symbols {
  let disposed = false;
  return {
    async open(source, name) {
      if (disposed) throw elfError('disconnected', name, null, 'cannot be opened: the symbol service was closed');
      return asynchronous(await openSymbolFile(host, source, name));
    },
    dispose() {
      disposed = true;
    },
  };
}

/** Opens a file. Rejects with SymbolError. */
export async function openSymbolFile(host: SymbolHost, source: ByteSource, name: string): Promise<SymbolFileReader> {
  const bytes = source.kind === 'bytes' ? bytesInMemory(source.bytes) : openPath(host, source.path);
  try {
    return new SymbolFileReader(bytes, name, await expandSections(new ElfFile(bytes, name)));
  } catch (error) {
    bytes.close?.();
    throw error;
  }
}

function openPath(host: SymbolHost, path: string): ReadableBytes {
  const attempt = <Result>(action: () => Result): Result => {
    try {
      return action();
    } catch (error) {
      if (error instanceof SymbolError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw elfError('unreadable', path, null, `cannot be read: ${reason}`);
    }
  };
  const bytes = attempt(() => host.openFile(path));
  return {
    size: bytes.size,
    read: (offset, length) => attempt(() => bytes.read(offset, length)),
    close: () => bytes.close?.(),
  };
}

function asynchronous(initial: SymbolFileReader): SymbolFile {
  let reader: SymbolFileReader | null = initial;
  const { elf } = initial;
  const open = (): SymbolFileReader => {
    if (reader === null) throw elfError('closed', elf.name, null, 'was closed');
    return reader;
  };
  return {
    elf,
    symbols: async () => open().symbols(),
    symbolAt: async (address) => open().symbolAt(address),
    symbolsNamed: async (name) => open().symbolsNamed(name),
    symbolsByPrefix: async (prefix, limit) => open().symbolsByPrefix(prefix, limit),
    readImage: async (address, length) => open().readImage(address, length),
    sourceFiles: async () => open().sourceFiles(),
    findSourceFiles: async (path) => open().findSourceFiles(path),
    lineAt: async (address) => open().lineAt(address),
    lineTable: async () => open().lineTable(),
    breakpointAddresses: async (file, line, column) => open().breakpointAddresses(file, line, column),
    breakpointLocations: async (file, first, last) => open().breakpointLocations(file, first, last),
    functionBreakpoints: async (name) => open().functionBreakpoints(name),
    prologueEnd: async (address) => open().prologueEnd(address),
    stepRanges: async (pc) => open().stepRanges(pc),
    functionAt: async (pc) => open().functionAt(pc),
    functionsNamed: async (name) => open().functionsNamed(name),
    functions: async () => open().functions(),
    scopesAt: async (pc) => open().scopesAt(pc),
    unitGlobals: async (pc) => open().unitGlobals(pc),
    globalsNamed: async (name, pc) => open().globalsNamed(name, pc),
    globalNamesByPrefix: async (prefix, limit) => open().globalNamesByPrefix(prefix, limit),
    enumeratorNamed: async (name, pc) => open().enumeratorNamed(name, pc),
    callSiteAt: async (returnAddress) => open().callSiteAt(returnAddress),
    types: async (ids, limit) => open().types(ids, limit),
    typeNamed: async (name, pc) => open().typeNamed(name, pc),
    unwindRowAt: async (pc) => open().unwindRowAt(pc),
    warnings: async () => open().warnings(),
    checksum: async () => open().checksum(),
    close: async () => {
      reader?.close();
      reader = null;
    },
  };
}
