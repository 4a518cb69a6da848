// The thread in which ELF files and debugging information are read.
import { parentPort } from 'node:worker_threads';
import { createSymbolService } from '../symbols/index.ts';
import { nodeSymbolHost, symbolPort } from './node-symbol-host.ts';

if (parentPort === null) throw new Error('symbols-worker.js is started as a worker thread by the debug adapter');
createSymbolService(symbolPort(parentPort), nodeSymbolHost);
