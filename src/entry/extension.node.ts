// Composition root of the extension under Node: a desktop VS Code, or a VS Code server.
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { ExtensionContext } from 'vscode';
import { activateOn } from '../vscode/activate.ts';
import type { AdapterWorker } from '../vscode/platform.ts';
import { readPart } from './regular-file.ts';

/** The folder of this bundle, where the worker's lies too. */
declare const __dirname: string;

function startAdapter(translation: Readonly<Record<string, string>> | undefined): AdapterWorker {
  const worker = new Worker(path.join(__dirname, 'worker.js'), { workerData: translation });
  let failure = '';
  const adapter: AdapterWorker = {
    post: (message) => worker.postMessage(message),
    onMessage: () => undefined,
    onExit: () => undefined,
    terminate: () => void worker.terminate(),
  };
  worker.on('message', (message: unknown) => adapter.onMessage(message));
  worker.on('error', (error) => {
    failure = error instanceof Error ? error.message : String(error);
  });
  worker.on('exit', (code) => adapter.onExit(failure || (code === 0 ? '' : `status ${code}`)));
  return adapter;
}

/** Called by VS Code. */
export function activate(context: ExtensionContext): void {
  activateOn({ startAdapter, readPart, path: { isAbsolute: path.isAbsolute, resolve: path.resolve } }, context);
}
