// `trapline dap`: the debug adapter on standard input and output, or on a port of 127.0.0.1.
import { createServer, type Socket } from 'node:net';
import process from 'node:process';
import type { Connection } from '../dap/server.ts';
import { serve } from '../dap/server.ts';
import { guardThread } from './guard.ts';
import { createNodeAdapterHost } from './node-adapter-host.ts';

/** Serves clients; answers the exit status. Rejects with an Error whose message is for the user. */
export function dap(port: number | undefined): Promise<number> {
  guardThread();
  return port === undefined ? onStandardStreams() : onPort(port);
}

async function onStandardStreams(): Promise<number> {
  // Only the protocol goes to standard output: a stray line there would break the stream.
  console.log = console.error;
  const host = createNodeAdapterHost();
  const { stdin, stdout } = process;
  // A client that vanishes closes the pipe; that is its end, not an error of ours.
  stdout.on('error', () => undefined);
  await serve(
    {
      onBytes: (listener) => void stdin.on('data', listener),
      onEnd(listener) {
        stdin.on('end', listener);
        stdin.on('close', listener);
        stdin.on('error', listener);
        stdout.on('close', listener);
      },
      write: (bytes) => void stdout.write(bytes),
      end: () => {
        stdin.pause();
        stdin.unref();
      },
    },
    host,
  );
  host.dispose();
  return 0;
}

function socketConnection(socket: Socket): Connection {
  socket.setNoDelay(true);
  return {
    onBytes: (listener) => void socket.on('data', listener),
    onEnd(listener) {
      socket.on('end', listener);
      socket.on('error', listener);
      socket.on('close', listener);
    },
    write: (bytes) => void (socket.writable && socket.write(bytes)),
    end: () => void socket.end(),
  };
}

/** One client at a time; a second one is turned away, and the next may come when the first has gone. */
function onPort(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let busy = false;
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      if (busy) {
        socket.destroy();
        return;
      }
      busy = true;
      const host = createNodeAdapterHost();
      void serve(socketConnection(socket), host).finally(() => {
        host.dispose();
        busy = false;
      });
    });
    server.on('error', (error) => reject(new Error(`dap: cannot listen on 127.0.0.1:${port}: ${error.message}`)));
    server.on('close', () => resolve(0));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      const actual = typeof address === 'object' && address !== null ? address.port : port;
      process.stderr.write(`trapline: debug adapter on 127.0.0.1:${actual}\n`);
    });
    const stop = (): void => void server.close();
    process.once('SIGINT', stop);
    process.once('SIGTERM', stop);
  });
}
