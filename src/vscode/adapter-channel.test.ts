import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AdapterChannel, type Message } from './adapter-channel.ts';
import type { AdapterWorker } from './platform.ts';

interface Stand {
  readonly channel: AdapterChannel;
  readonly worker: AdapterWorker;
  readonly toWorker: Message[];
  readonly toClient: Message[];
  readonly events: string[];
  readonly errors: string[];
  /** The window takes what was sent, each time that it is asked. */
  settle(): void;
}

function makeStand(): Stand {
  const toWorker: Message[] = [];
  const toClient: Message[] = [];
  const events: string[] = [];
  const errors: string[] = [];
  const worker: AdapterWorker = {
    post: (message) => void toWorker.push(message),
    onMessage: () => undefined,
    onExit: () => undefined,
    terminate: () => undefined,
  };
  const waiting: (() => void)[] = [];
  const channel = new AdapterChannel(worker, {
    send: (message) => void toClient.push(message),
    onEvent: ({ event }) => void events.push(event),
    showError: (text) => void errors.push(text),
    settled: () => new Promise((resolve) => waiting.push(resolve)),
  });
  const settle = (): void => waiting.splice(0).forEach((resolve) => resolve());
  return { channel, worker, toWorker, toClient, events, errors, settle };
}

test('messages go through as they are, our own requests stay between us', async () => {
  const { channel, worker, toWorker, toClient } = makeStand();
  const threads = { seq: 1, type: 'request', command: 'threads' };
  channel.handle(threads);
  const asked = channel.request('trapline/place', { address: '0x1000' });
  const own = toWorker[1];
  assert.deepEqual(own, {
    seq: own?.seq,
    type: 'request',
    command: 'trapline/place',
    arguments: { address: '0x1000' },
  });
  worker.onMessage({
    type: 'response',
    seq: 1,
    request_seq: own.seq,
    command: 'trapline/place',
    success: true,
    body: { line: 3 },
  });
  assert.deepEqual(await asked, { line: 3 });
  const answer = { type: 'response', seq: 2, request_seq: 1, command: 'threads', success: true };
  worker.onMessage(answer);
  assert.deepEqual(toClient, [answer]);
});

test('a refused request of our own rejects with the sentence of the adapter', async () => {
  const { channel, worker, toWorker } = makeStand();
  const asked = channel.request('trapline/machine');
  worker.onMessage({ type: 'response', request_seq: toWorker[0]?.seq, success: false, message: 'No guest.' });
  await assert.rejects(asked, { message: 'No guest.' });
});

test('a worker that dies in a session: one error, no open request, the session ends', async () => {
  const { channel, worker, toClient, events, errors } = makeStand();
  channel.handle({ seq: 5, type: 'request', command: 'stackTrace' });
  const asked = channel.request('trapline/machine');
  worker.onExit('out of memory');
  await assert.rejects(asked, /ended unexpectedly \(out of memory\)/);
  assert.deepEqual(errors, ['The debug adapter ended unexpectedly (out of memory). The debug session is over.']);
  assert.deepEqual(
    toClient.map(({ type, command, event }) => [type, command ?? event]),
    [
      ['response', 'stackTrace'],
      ['event', 'output'],
      ['event', 'terminated'],
    ],
  );
  assert.equal(toClient[0]?.message, 'canceled', 'which VS Code does not show');
  assert.deepEqual(events, ['output', 'terminated']);
  channel.handle({ seq: 6, type: 'request', command: 'disconnect' });
  assert.equal(toClient.at(-1)?.success, true, 'VS Code is let go');
  worker.onExit('');
  assert.equal(errors.length, 1);
});

test('a worker that dies in a launch: VS Code shows the error of the launch, and nothing else is shown', () => {
  const { channel, worker, toClient, errors } = makeStand();
  channel.handle({ seq: 2, type: 'request', command: 'launch' });
  worker.onExit('');
  assert.deepEqual(errors, []);
  assert.match(String(toClient[0]?.message), /^The debug adapter ended unexpectedly\. /);
});

test('a thread is focused by its own stopped event, without the hint', () => {
  const { channel, worker, toClient } = makeStand();
  const body = {
    reason: 'pause',
    description: 'halted',
    threadId: 4,
    allThreadsStopped: false,
    preserveFocusHint: true,
  };
  worker.onMessage({ type: 'event', seq: 9, event: 'stopped', body });
  assert.equal(channel.focus(4), true);
  assert.deepEqual(toClient[1]?.body, {
    reason: 'pause',
    description: 'halted',
    threadId: 4,
    allThreadsStopped: false,
  });
  assert.equal(channel.focus(1), false);
  worker.onMessage({ type: 'event', seq: 10, event: 'continued', body: { threadId: 1 } });
  assert.equal(channel.focus(4), false, 'it runs');
});

test('a closed channel says nothing more', () => {
  const { channel, worker, toClient, errors } = makeStand();
  channel.close();
  worker.onMessage({ type: 'event', event: 'output' });
  worker.onExit('terminated');
  assert.deepEqual([toClient, errors], [[], []]);
});

test('a restart is an event of our own, for what was told before does not hold any more', () => {
  const { channel, worker, events } = makeStand();
  channel.handle({ seq: 8, type: 'request', command: 'restart' });
  worker.onMessage({ type: 'response', seq: 1, request_seq: 8, command: 'restart', success: false, message: 'no' });
  assert.deepEqual(events, []);
  channel.handle({ seq: 9, type: 'request', command: 'restart' });
  worker.onMessage({ type: 'response', seq: 2, request_seq: 9, command: 'restart', success: true });
  assert.deepEqual(events, ['restarted']);
});

test('the worker is told what the window has taken, when it was much, and never more', async () => {
  const { worker, toWorker, toClient, settle } = makeStand();
  const moment = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const serial = (length: number) => ({
    type: 'event',
    seq: 1,
    event: 'trapline/serial',
    body: { data: 'x'.repeat(length) },
  });
  for (let i = 0; i < 10; i++) worker.onMessage(serial(1000));
  settle();
  await moment();
  assert.deepEqual(toWorker, [], 'small talk is not worth a word');
  worker.onMessage(serial(100_000));
  worker.onMessage(serial(100_000));
  await moment();
  assert.deepEqual([toClient.length, toWorker], [12, []], 'the window has not taken it yet');
  settle();
  await moment();
  assert.deepEqual(
    toWorker,
    [{ type: 'trapline/taken', count: 11 }],
    'what came after the question waits for the next',
  );
  settle();
  await moment();
  assert.deepEqual(toWorker[1], { type: 'trapline/taken', count: 12 });
});
