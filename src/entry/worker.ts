// The thread in which the extension's debug adapter and the machine live. Protocol messages go in and out as they are.
import { parentPort, workerData } from 'node:worker_threads';
import { createAdapter } from '../dap/adapter.ts';
import { CountedOutlet, isTaken } from '../dap/outlet.ts';
import type { P, Send } from '../dap/protocol.ts';
import { fromBundle } from '../words/translate.ts';
import { guardThread } from './guard.ts';
import { createNodeAdapterHost } from './node-adapter-host.ts';

const port = parentPort;
if (port === null) throw new Error('worker.js is started as a worker thread by the extension');
const host = { ...createNodeAdapterHost(), translate: fromBundle(workerData) };
const outlet = new CountedOutlet();
const send: Send = (message) => {
  outlet.sent(message);
  port.postMessage(message);
};
const adapter = createAdapter(host, send, { outlet });
guardThread((line) => adapter.complain(line));
port.on('message', (message: P.ProtocolMessage) => {
  if (isTaken(message)) outlet.taken(message.count);
  else adapter.server.handleMessage(message);
});
port.on('close', () => void adapter.close().then(() => host.dispose()));
