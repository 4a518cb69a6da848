/** The debugger's end of a symbol service. */

import { SymbolError, type SymbolErrorCode, type SymbolFile, type SymbolPort, type Symbols } from './api.ts';
import { fileOfQueries, type Answer, type Given } from './file-of-queries.ts';
import { parseError, parseReply, type Opened, type QueryName, type Request } from './protocol.ts';

type Unnumbered = Request extends infer Each ? (Each extends Request ? Omit<Each, 'id'> : never) : never;

interface Pending {
  resolve(result: unknown): void;
  reject(error: SymbolError): void;
}

export interface SymbolClient extends Symbols {
  /**
   * The other end is gone: every pending promise rejects with code `disconnected`, and so does every one from now on.
   * @param reason one sentence
   */
  disconnect(reason: string): void;
}

/**
 * A symbol service whose work is done at the other end of the port, by `createSymbolService` of the same version of
 * this program; so the shape of results is taken as given.
 */
export function createSymbolClient(port: SymbolPort): SymbolClient {
  const pending = new Map<number, Pending>();
  let lastId = 0;
  let gone: string | undefined;

  const send = (request: Unnumbered): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (gone !== undefined) {
        reject(failure('disconnected', '', gone));
        return;
      }
      const id = ++lastId;
      pending.set(id, { resolve, reject });
      port.postMessage({ ...request, id });
    });
  const disconnect = (reason: string): void => {
    gone ??= reason;
    for (const { reject } of pending.values()) reject(failure('disconnected', '', gone));
    pending.clear();
  };

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
    disconnect,
    dispose: () => disconnect('The connection to the symbol worker was closed.'),
  };
}

function remoteFile({ file, elf }: Opened, send: (request: Unnumbered) => Promise<unknown>): SymbolFile {
  let closed = false;
  const ask = async <Name extends QueryName>(name: Name, given: Given<Name>): Promise<Answer<Name>> => {
    if (closed) throw failure('closed', elf.name, `${elf.name} was closed.`);
    const result = await send({ kind: 'query', file, query: name, arguments: given });
    return result as Answer<Name>;
  };
  return fileOfQueries(elf, ask, async () => {
    if (closed) return;
    closed = true;
    await send({ kind: 'close', file });
  });
}

function failure(code: SymbolErrorCode, file: string, message: string): SymbolError {
  return new SymbolError({ code, message, file, offset: null, section: null });
}
