// A symbol worker that dies when it is asked for a function of one of these names.
import { parentPort } from 'node:worker_threads';

// The sources are TypeScript, and a worker does not inherit what reads it.
const { register } = await import(import.meta.resolve('tsx/esm/api'));
register();
const { createSymbolService } = await import('../../../src/symbols/index.ts');
const { nodeSymbolHost, symbolPort } = await import('../../../src/entry/node-symbol-host.ts');

const deaths = {
  exit: () => process.exit(3),
  throw: () => {
    throw new Error('a mistake of the worker');
  },
  reject: () => void Promise.reject(new Error('a promise of the worker')),
  memory: () => {
    for (const all = []; ;) all.push(Array.from({ length: 1e6 }, (_, index) => ({ index })));
  },
};
const port = symbolPort(parentPort);
createSymbolService(
  {
    ...port,
    onMessage: (listener) =>
      port.onMessage((message) => {
        const death = message.query === 'functionBreakpoints' ? deaths[message.arguments[0]] : undefined;
        if (death === undefined) listener(message);
        else death();
      }),
  },
  nodeSymbolHost,
);
