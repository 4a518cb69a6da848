/** The worker's end of a symbol service. */

import { SymbolError, type SymbolErrorData, type SymbolHost, type SymbolPort } from './api.ts';
import { elfError } from './elf.ts';
import { openSymbolFile } from './local-symbols.ts';
import { answer, parseRequest, type Opened, type Reply, type Request } from './protocol.ts';
import type { SymbolFileReader } from './symbol-file.ts';

/** Answers requests that arrive at the port until the port closes. Every request gets exactly one reply. */
export function createSymbolService(port: SymbolPort, host: SymbolHost): void {
  const files = new Map<number, SymbolFileReader>();
  let lastFile = 0;
  let last: Promise<void> = Promise.resolve();

  const perform = async (request: Request): Promise<unknown> => {
    switch (request.kind) {
      case 'open': {
        const reader = await openSymbolFile(host, request.source, request.name);
        files.set(++lastFile, reader);
        return { file: lastFile, elf: reader.elf } satisfies Opened;
      }
      case 'query': {
        const reader = files.get(request.file);
        if (reader === undefined) throw elfError('closed', `file ${request.file}`, null, 'was closed');
        return answer(reader, request.query, request.arguments);
      }
      case 'close':
        files.get(request.file)?.close();
        files.delete(request.file);
        return null;
    }
  };

  port.onMessage((message) => {
    const request = parseRequest(message);
    // Without an id there is nobody to tell.
    if (request === null) return;
    const { id } = request;
    // One after the other: a question must not overtake the opening of its file.
    last = last
      .then(() => perform(request))
      .then(
        (result): Reply => ({ id, ok: true, result }),
        (error: unknown): Reply => ({ id, ok: false, error: describe(error) }),
      )
      .then((reply) => port.postMessage(reply));
  });
}

function describe(error: unknown): SymbolErrorData {
  if (error instanceof SymbolError) return error.toData();
  // A mistake of this program: it must still reach the caller, who otherwise waits for ever.
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    code: 'malformed',
    message: `The symbol reader failed: ${reason}`,
    file: '',
    offset: null,
    section: null,
  };
}
