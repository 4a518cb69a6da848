import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Dispatcher } from './dispatcher.ts';
import type { Group, Handlers, ProtocolMessage } from './protocol.ts';

type Message = Readonly<Record<string, unknown>>;

const clock = {
  now: () => 0,
  scheduler: { yield: () => Promise.resolve(), wait: () => Promise.resolve() },
};

/** A dispatcher whose handlers do what a test wants; all others answer nothing. */
function dispatcher(handlers: Partial<Handlers>, refuses: (message: Message) => boolean = () => false) {
  const sent: Message[] = [];
  const made = new Dispatcher((message: ProtocolMessage) => {
    if (refuses(message)) throw new RangeError('Maximum call stack size exceeded');
    sent.push(message);
  }, clock);
  const rest = new Proxy(handlers, { get: (all, name) => Reflect.get(all, name) ?? (() => undefined) });
  made.serve(rest as Handlers);
  return { made, sent };
}
const request = (command: string, given?: unknown): Message => ({
  seq: 7,
  type: 'request',
  command,
  arguments: given,
});
const outputs = (sent: readonly Message[]): number => sent.filter(({ event }) => event === 'output').length;
const nested = (depth: number, open: string, close: string): unknown =>
  JSON.parse(open.repeat(depth) + '0' + close.repeat(depth));

describe('the dispatcher', () => {
  it('numbers what it sends, and answers with the number that was asked', async () => {
    const { made, sent } = dispatcher({ threads: () => ({ threads: [] }) });
    await made.receive(request('threads'));
    made.event('initialized', undefined);
    assert.deepEqual(
      sent.map((message) => ({ ...message })),
      [
        { seq: 1, type: 'response', request_seq: 7, command: 'threads', success: true, body: { threads: [] } },
        { seq: 2, type: 'event', event: 'initialized' },
      ],
    );
  });

  // A list nested 6,000 deep overflowed the stack of JSON.stringify when the message was quoted, and ended the process.
  for (const [what, message] of [
    ['a list nested 100,000 deep', nested(100_000, '[', ']')],
    ['an object nested 100,000 deep', nested(100_000, '{"a":', '}')],
    ['a list', [1, 2]],
    ['nothing', null],
    ['a number that JSON has not', 7n],
    ['a request without a command', { seq: 1, type: 'request' }],
    ['a response nobody waits for', { seq: 1, type: 'response', request_seq: 9 }],
  ] as const) {
    it(`ignores ${what} with one line`, async () => {
      const { made, sent } = dispatcher({});
      await made.receive(message);
      assert.equal(sent.length, 1);
      assert.match(JSON.stringify(sent[0]), /Ignored a message of the client that is not a request/);
    });
  }

  it('refuses arguments that are nested too deep', async () => {
    const { made, sent } = dispatcher({});
    for (const [open, close] of [
      ['[', ']'],
      ['{"a":', '}'],
    ] as const) {
      await made.receive(request('launch', { kernel: nested(6000, open, close) }));
    }
    assert.equal(sent.length, 2);
    for (const { success, message } of sent) {
      assert.equal(success, false);
      assert.equal(message, "The arguments of 'launch' must be nested at most 64 deep.");
    }
  });

  it('answers a request before initialize, and one with a bad number', async () => {
    const { made, sent } = dispatcher({});
    await made.receive({ ...request('threads'), seq: 'x' });
    assert.equal(sent[0]?.['request_seq'], 0);
    const early = new Dispatcher((message) => sent.push(message), clock);
    await early.receive(request('threads'));
    assert.equal(sent[1]?.['success'], false);
  });

  it('answers when a handler throws, rejects, or gives what cannot be written', async () => {
    const { made, sent } = dispatcher(
      {
        threads: () => {
          throw new TypeError('thrown');
        },
        modules: () => Promise.reject(new TypeError('rejected')),
        loadedSources: () => ({ sources: [] }),
      },
      ({ command, success }) => command === 'loadedSources' && success === true,
    );
    for (const command of ['threads', 'modules', 'loadedSources']) await made.receive(request(command));
    assert.deepEqual(
      sent.map(({ seq, command, success }) => ({ seq, command, success })),
      [
        { seq: 1, command: 'threads', success: false },
        { seq: 2, command: 'modules', success: false },
        { seq: 3, command: 'loadedSources', success: false },
      ],
    );
  });

  it('says what work behind an answer throws or rejects with, and goes on', async () => {
    const { made, sent } = dispatcher({
      pause: (_argument, call) => {
        call.after(() => {
          throw new Error('thrown behind');
        });
        call.after(() => Promise.reject(new Error('rejected behind')));
        return undefined;
      },
    });
    await made.receive(request('pause', { threadId: 1 }));
    assert.equal(sent[0]?.['success'], true);
    assert.equal(outputs(sent), 2);
  });

  it('survives an event that cannot be sent, and a connection that takes nothing', async () => {
    const { made, sent } = dispatcher({}, ({ event }) => event === 'memory');
    made.event('memory', { memoryReference: '0x0', offset: 0, count: 1 });
    assert.equal(outputs(sent), 1);
    const dead = new Dispatcher(() => {
      throw new Error('closed');
    }, clock);
    await dead.receive(request('threads'));
    dead.complain('nobody hears this');
  });

  it('has a handler for every request: what a group leaves out does not compile', () => {
    const group = (): Group<'threads'> => ({ threads: () => ({ threads: [] }) });
    // @ts-expect-error: all other requests are missing
    const handlers: Handlers = { ...group() };
    assert.deepEqual(Object.keys(handlers), ['threads']);
  });
});
