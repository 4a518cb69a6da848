// `trapline dap`: the debug adapter on standard input and output, on a port of 127.0.0.1, or on a socket file.
import process from 'node:process';
import { serve } from '../dap/server.ts';
import { guardThread } from './guard.ts';
import type { DapDoor } from './cli-arguments.ts';
import { DapListener } from './dap-listener.ts';
import type { EndSignals } from './end-signals.ts';
import { UsageError } from '../cli/exit-status.ts';
import { createNodeAdapterHost } from './node-adapter-host.ts';
import { socketPlace } from './socket-file.ts';
import { streamConnection } from './stream-connection.ts';
import { newToken } from './token.ts';

const say = (line: string): void => void process.stderr.write(`trapline: ${line}\n`);

/** Serves clients until they or a signal end it. Rejects with UsageError when it cannot listen. */
export function dap(door: DapDoor, signals: EndSignals): Promise<void> {
  guardThread();
  switch (door.kind) {
    case 'stdio':
      return onStandardStreams(signals);
    case 'port':
      return onPort(door.port, door.token, signals);
    case 'socket':
      return onSocket(door.path, signals);
  }
}

async function onStandardStreams(signals: EndSignals): Promise<void> {
  // Only the protocol goes to standard output: a stray line there would break the stream.
  console.log = console.error;
  const { stdin, stdout } = process;
  // A client that vanishes closes the pipe; that is its end, not an error of ours.
  const connection = streamConnection(stdin, stdout, () => {
    stdin.pause();
    stdin.unref();
  });
  signals.onEnd(() => connection.close());
  await serve(connection, createNodeAdapterHost());
}

async function onPort(port: number, wantsToken: boolean, signals: EndSignals): Promise<void> {
  const token = wantsToken ? newToken() : undefined;
  const listener = new DapListener({ token, say });
  const actual = await listener.listen({ port, host: '127.0.0.1' }).catch((error: unknown) => {
    throw new UsageError(`dap: cannot listen on 127.0.0.1:${port}: ${messageOf(error)}.`, { cause: error });
  });
  say(`debug adapter on 127.0.0.1:${actual}`);
  if (token !== undefined) say(`token ${token}`);
  await ended(signals);
  await listener.close();
}

async function onSocket(path: string, signals: EndSignals): Promise<void> {
  const listener = new DapListener({ token: undefined, say });
  let place;
  try {
    place = socketPlace(path);
  } catch (error) {
    throw new UsageError(`--socket: ${messageOf(error)}`, { cause: error });
  }
  const release = (): void => place.release();
  process.on('exit', release);
  try {
    await place.listen(() => listener.listen({ path: place.path }));
    say(`debug adapter on ${place.path}`);
    await ended(signals);
    await listener.close();
  } catch (error) {
    throw new UsageError(`--socket: cannot listen on ${place.path}: ${messageOf(error)}.`, { cause: error });
  } finally {
    release();
    process.off('exit', release);
  }
}

const ended = (signals: EndSignals): Promise<void> => new Promise((resolve) => signals.onEnd(resolve));
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
