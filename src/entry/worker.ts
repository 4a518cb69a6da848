// The thread in which the extension's debug adapter and the machine live. Protocol messages go in and out as they are.
import { parentPort } from 'node:worker_threads';
import { createAdapter } from '../dap/adapter.ts';
import type { P } from '../dap/protocol.ts';
import { guardThread } from './guard.ts';
import { createNodeAdapterHost } from './node-adapter-host.ts';

const port = parentPort;
if (port === null) throw new Error('worker.js is started as a worker thread by the extension');
const host = createNodeAdapterHost();
const adapter = createAdapter(host, (message) => port.postMessage(message));
guardThread((line) => adapter.complain(line));
port.on('message', (message: P.ProtocolMessage) => adapter.server.handleMessage(message));
port.on('close', () => void adapter.close().then(() => host.dispose()));
