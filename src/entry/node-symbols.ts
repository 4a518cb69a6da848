// The symbol service on Node: in a worker of its own where the bundle has one; in this thread when run from sources.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { createEnduringSymbols, createLocalSymbols, createSymbolClient } from '../symbols/index.ts';
import type { Symbols } from '../symbols/index.ts';
import { nodeSymbolHost, symbolPort } from './node-symbol-host.ts';

const BUNDLED = new URL('./symbols-worker.js', import.meta.url);

export interface SymbolWorkerOptions {
  /** The worker's program. */
  readonly script: URL;
  /** What its heap may grow to, in MB; absent: as far as Node lets it. */
  readonly heap?: number;
}

/**
 * @param say hears a sentence for the user when the worker died
 * @param options without a program that exists, files are read in this thread
 */
export function createNodeSymbols(
  say: (sentence: string) => void,
  options: SymbolWorkerOptions = { script: BUNDLED },
): Symbols {
  if (!existsSync(fileURLToPath(options.script))) return createLocalSymbols(nodeSymbolHost);
  return createEnduringSymbols((died) => startWorker(options, died), say);
}

function startWorker({ script, heap }: SymbolWorkerOptions, died: (reason: string) => void): Symbols {
  const worker = new Worker(script, heap === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: heap } });
  // The worker alone does not keep the process alive.
  worker.unref();
  const client = createSymbolClient(symbolPort(worker));
  let over = false;
  const end = (reason: string): void => {
    if (over) return;
    over = true;
    client.disconnect(`The symbol worker ended (${reason}) before it had answered.`);
    void worker.terminate();
    died(reason);
  };
  worker.on('error', (error) => end(explain(error)));
  worker.on('messageerror', (error) => end(explain(error)));
  worker.on('exit', (status) => end(`status ${status}`));
  return {
    open: (source, name) => client.open(source, name),
    dispose: async () => {
      over = true;
      client.dispose();
      await worker.terminate();
    },
  };
}

function explain(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY')
    return 'out of memory';
  return (error instanceof Error ? error.message : String(error)).split('\n', 1).join('').replace(/\.$/, '');
}
