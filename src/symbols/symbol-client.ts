/** The debugger's end of a symbol service. */

import { SymbolError, type SymbolErrorCode, type SymbolFile, type SymbolPort, type Symbols } from './api.ts';
import { parseError, parseReply, type Opened, type QueryName, type Request } from './protocol.ts';

type Unnumbered = Request extends infer Each ? (Each extends Request ? Omit<Each, 'id'> : never) : never;

interface Pending {
  resolve(result: unknown): void;
  reject(error: SymbolError): void;
}

/**
 * A symbol service whose work is done at the other end of the port, by `createSymbolService` of the same version of
 * this program; so the shape of results is taken as given.
 */
export function createSymbolClient(port: SymbolPort): Symbols {
  const pending = new Map<number, Pending>();
  let lastId = 0;
  let disposed = false;

  const send = (request: Unnumbered): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (disposed) {
        reject(disconnected());
        return;
      }
      const id = ++lastId;
      pending.set(id, { resolve, reject });
      port.postMessage({ ...request, id });
    });

  port.onMessage((message) => {
    const reply = parseReply(message);
    const waiting = reply === null ? undefined : pending.get(reply.id);
    if (reply === null || waiting === undefined) return;
    pending.delete(reply.id);
    if (reply.ok) waiting.resolve(reply.result);
    else waiting.reject(parseError(reply.error));
  });

  return {
    async open(source, name) {
      const opened = (await send({ kind: 'open', source, name })) as Opened;
      return remoteFile(opened, send);
    },
    dispose() {
      disposed = true;
      for (const { reject } of pending.values()) reject(disconnected());
      pending.clear();
    },
  };
}

function remoteFile({ file, elf }: Opened, send: (request: Unnumbered) => Promise<unknown>): SymbolFile {
  let closed = false;
  const query =
    <Name extends QueryName>(name: Name) =>
    async (...given: Parameters<SymbolFile[Name]>): Promise<Awaited<ReturnType<SymbolFile[Name]>>> => {
      if (closed) throw failure('closed', elf.name, `${elf.name} was closed.`);
      const result = await send({ kind: 'query', file, query: name, arguments: given });
      return result as Awaited<ReturnType<SymbolFile[Name]>>;
    };
  return {
    elf,
    symbols: query('symbols'),
    symbolAt: query('symbolAt'),
    symbolsNamed: query('symbolsNamed'),
    symbolsByPrefix: query('symbolsByPrefix'),
    readImage: query('readImage'),
    sourceFiles: query('sourceFiles'),
    findSourceFiles: query('findSourceFiles'),
    lineAt: query('lineAt'),
    lineTable: query('lineTable'),
    breakpointAddresses: query('breakpointAddresses'),
    breakpointLocations: query('breakpointLocations'),
    functionBreakpoints: query('functionBreakpoints'),
    prologueEnd: query('prologueEnd'),
    stepRanges: query('stepRanges'),
    functionAt: query('functionAt'),
    functionsNamed: query('functionsNamed'),
    functions: query('functions'),
    scopesAt: query('scopesAt'),
    unitGlobals: query('unitGlobals'),
    globalsNamed: query('globalsNamed'),
    globalNamesByPrefix: query('globalNamesByPrefix'),
    enumeratorNamed: query('enumeratorNamed'),
    callSiteAt: query('callSiteAt'),
    types: query('types'),
    typeNamed: query('typeNamed'),
    unwindRowAt: query('unwindRowAt'),
    warnings: query('warnings'),
    close: async () => {
      closed = true;
      await send({ kind: 'close', file });
    },
  };
}

function disconnected(): SymbolError {
  return failure('disconnected', '', 'The connection to the symbol worker was closed.');
}

function failure(code: SymbolErrorCode, file: string, message: string): SymbolError {
  return new SymbolError({ code, message, file, offset: null, section: null });
}
