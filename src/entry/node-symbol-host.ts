// Files and channels of the symbol service, on Node.
import { closeSync, fstatSync, readSync } from 'node:fs';
import type { MessagePort, Worker } from 'node:worker_threads';
import type { ReadableBytes, SymbolHost, SymbolPort } from '../symbols/index.ts';
import { openRegularFile } from './regular-file.ts';

/** Opens files for the symbol service. */
export const nodeSymbolHost: SymbolHost = {
  openFile(file: string): ReadableBytes {
    try {
      const descriptor = openRegularFile(file);
      const { size } = fstatSync(descriptor);
      return {
        size,
        read(offset, length) {
          const wanted = Math.max(0, Math.min(length, size - offset));
          const bytes = new Uint8Array(wanted);
          return bytes.subarray(0, wanted === 0 ? 0 : readSync(descriptor, bytes, 0, wanted, offset));
        },
        close: () => closeSync(descriptor),
      };
    } catch (error) {
      // The symbol service makes a sentence of its own around this reason.
      const message = error instanceof Error ? error.message : String(error);
      throw new Error(message.replace(`${file}: `, '').replace(/\.$/, ''), { cause: error });
    }
  },
};

/** One end of a worker's channel as the symbol service wants it. */
export function symbolPort(port: Pick<Worker | MessagePort, 'postMessage' | 'on'>): SymbolPort {
  return {
    postMessage: (message) => port.postMessage(message),
    onMessage: (listener) => void port.on('message', listener),
  };
}
