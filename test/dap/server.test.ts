/** Clients that misbehave: on the wire, and by going away. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { describe, it } from 'node:test';
import { encodeMessage, FrameReader } from '../../src/dap/framing.ts';
import { Peer } from './peer.ts';
import { serve } from '../../src/dap/server.ts';
import { createNodeAdapterHost } from '../../src/entry/node-adapter-host.ts';
import { AdapterServer } from './adapter-server.ts';
import { guest } from './story.ts';

type Message = Readonly<Record<string, unknown>>;
const request = (seq: number, command: string, argument: unknown = {}): Uint8Array =>
  encodeMessage({ seq, type: 'request', command, arguments: argument });

const launch = { kernel: path.join(guest, 'smp.elf'), machine: { cpus: 4, memory: '32M' } };

describe('a connection', () => {
  it('outlives everything that is no message, and answers what is', async () => {
    const peer = new Peer();
    const host = createNodeAdapterHost();
    const served = serve(peer, host);
    const text = (content: string): Uint8Array => new TextEncoder().encode(content);
    peer.send(text('Content-Length: many\r\n\r\n'));
    peer.send(text('Content-Length: 99999999\r\n\r\n'));
    peer.send(new Uint8Array(99_999_999));
    peer.send(text('Content-Length: 4\r\n\r\nnull'));
    peer.send(text('Content-Length: 7\r\n\r\n{"seq":'));
    peer.send(encodeMessage([1, 2, 3]));
    // JSON.stringify, which quotes the message, has no stack for these: they ended the process.
    for (const deep of [`${'['.repeat(6000)}${']'.repeat(6000)}`, `${'{"a":'.repeat(50_000)}0${'}'.repeat(50_000)}`])
      peer.send(text(`Content-Length: ${deep.length}\r\n\r\n${deep}`));
    peer.send(encodeMessage({ type: 'response', request_seq: 5 }));
    peer.send(request(1, 'whatIsThis'));
    peer.send(request(2, '__proto__'));
    peer.send(request(3, 'toString'));
    peer.send(request(4, 'initialize', { adapterID: 'x' }));
    const answer = await peer.response(4);
    assert.equal(answer['success'], true);
    for (const seq of [1, 2, 3]) assert.equal((await peer.response(seq))['success'], false);
    const complaints = peer.messages.filter(({ event }) => event === 'output').length;
    assert.ok(complaints >= 7, `${complaints} complaints`);
    peer.send(request(5, 'disconnect'));
    await served;
    assert.equal((await peer.response(5))['success'], true);
    assert.ok(peer.ended);
    host.dispose();
  });

  for (const [name, provoke] of [
    ['in the middle of a message', (peer: Peer) => peer.send(request(9, 'threads').subarray(0, 30))],
    ['while the guest runs', (): void => undefined],
    ['in the middle of a step', (peer: Peer) => peer.send(request(9, 'stepOut', { threadId: 1 }))],
  ] as const) {
    it(`may vanish ${name}: the session ends, nothing hangs`, async () => {
      const peer = new Peer();
      const host = createNodeAdapterHost();
      const served = serve(peer, host);
      peer.send(request(1, 'initialize', { adapterID: 'x' }));
      peer.send(request(2, 'launch', launch));
      await peer.until((message) => message['event'] === 'initialized');
      peer.send(
        request(3, 'setFunctionBreakpoints', { breakpoints: name.includes('step') ? [{ name: 'run_cpu' }] : [] }),
      );
      await peer.response(3);
      peer.send(request(4, 'configurationDone'));
      await peer.response(4);
      if (name.includes('step')) await peer.until((message) => message['event'] === 'stopped');
      provoke(peer);
      peer.vanish();
      await served;
      assert.ok(peer.ended);
      host.dispose();
    });
  }
});

describe('trapline dap --port', () => {
  it('D3: lives on when a client goes right after configurationDone', async () => {
    const server = await AdapterServer.start();
    try {
      for (let round = 0; round < 3; round++) {
        const leaver = connect(server.port, '127.0.0.1');
        leaver.write(request(1, 'launch', { ...launch, stopOnEntry: true }));
        await nextMessage(leaver, ({ event }) => event === 'initialized');
        const source = { path: path.join(guest, 'worker.c') };
        // All in one write, and the stream's end behind it.
        leaver.end(
          Buffer.concat([
            request(2, 'setBreakpoints', { source, breakpoints: [{ line: 79 }] }),
            request(3, 'configurationDone'),
            request(4, 'disconnect'),
          ]),
        );
        await closed(leaver);
      }
      const next = connect(server.port, '127.0.0.1');
      next.write(request(1, 'initialize', { adapterID: 'x' }));
      assert.equal((await firstMessage(next))['success'], true);
      next.destroy();
      assert.deepEqual(server.faults, []);
    } finally {
      await server.stop();
    }
  });
});

/** The next message of a socket that fits. */
async function nextMessage(socket: Socket, fits: (message: Message) => boolean): Promise<Message> {
  const reader = new FrameReader();
  for (;;) {
    const [bytes] = (await once(socket, 'data')) as [Buffer];
    for (const frame of reader.push(bytes))
      if (frame.ok && fits(frame.message as Message)) return frame.message as Message;
  }
}
const firstMessage = (socket: Socket): Promise<Message> => nextMessage(socket, () => true);

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}
