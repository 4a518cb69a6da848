/** Streams of requests, junk, cut and lying frames, random bytes and deep nesting: the adapter lives behind each burst. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { encodeMessage } from '../../src/dap/framing.ts';
import { serve } from '../../src/dap/server.ts';
import { createNodeAdapterHost } from '../../src/entry/node-adapter-host.ts';
import { SeededBytes } from '../harness/seeded-bytes.ts';
import { Peer } from './peer.ts';
import { guest } from './story.ts';

const SESSION = 5000;
const BURST = 100;
/** More than any frame that lies about its length still waits for. */
const LIE = 4000;
const text = (content: string): Uint8Array => new TextEncoder().encode(content);
const frame = (body: string, length = body.length): Uint8Array => text(`Content-Length: ${length}\r\n\r\n${body}`);
const command = (random: SeededBytes): string =>
  random.pick(['threads', 'evaluate', 'stackTrace', 'variables', 'readMemory', 'setBreakpoints', 'scopes', 'nothing']);

/** One piece of the stream. */
const pieces: readonly [(random: SeededBytes) => Uint8Array, ...((random: SeededBytes) => Uint8Array)[]] = [
  (random) =>
    encodeMessage({ seq: 1_000_000 + random.below(1000), type: 'request', command: command(random), arguments: {} }),
  (random) =>
    encodeMessage({ seq: random.below(5), type: random.pick(['request', 'response', 'event', 'x']), command: 7 }),
  (random) => encodeMessage(random.pick<unknown>([null, 0, 'x', [], [[]], { seq: {} }, { type: 'request' }])),
  (random) => encodeMessage({ seq: 1e300, type: 'request', command: 'x'.repeat(random.below(3000)), arguments: [1] }),
  (random) => {
    const body = random.bytes(random.below(200));
    return new Uint8Array([...text(`Content-Length: ${body.length}\r\n\r\n`), ...body]);
  },
  (random) => frame('{"seq":1,"type":"request","command":"threads"}', random.below(LIE)),
  (random) => text(`Content-Length: ${random.pick(['many', '-1', '1e3', '', '0x10', '99999999999999999999'])}\r\n\r\n`),
  (random) => text(`${random.pick(['X', 'Content-Type', 'Content-Length ', 'GET / HTTP/1.1'])}: 5\r\n\r\n`),
  (random) => random.bytes(random.below(60)),
  (random) => frame('{"seq":3,"type":"request","command":"threads"}').subarray(0, random.below(60)),
  (random) => {
    const depth = random.pick([100, 6000, 20_000]);
    const [open, close] = random.pick<readonly [string, string]>([
      ['[', ']'],
      ['{"a":', '}'],
    ]);
    const nested = `${open.repeat(depth)}0${close.repeat(depth)}`;
    const body = random.below(2) === 0 ? nested : `{"seq":4,"type":"request","command":"launch","arguments":${nested}}`;
    return frame(body);
  },
];

async function session(random: SeededBytes, count: number): Promise<void> {
  const host = createNodeAdapterHost();
  const peer = new Peer();
  const served = serve(peer, host);
  let seq = 1;
  const ask = async (name: string, argument: object): Promise<void> => {
    const mine = 2_000_000 + seq++;
    peer.send(encodeMessage({ seq: mine, type: 'request', command: name, arguments: argument }));
    const answer = await peer.response(mine);
    assert.equal(answer['success'], true, `${name}: ${JSON.stringify(answer).slice(0, 300)} (seed ${random.seed})`);
    peer.messages.length = 0;
  };
  await ask('initialize', { adapterID: 'x' });
  await ask('launch', { kernel: path.join(guest, 'smp.elf'), machine: { cpus: 1, memory: '16M' } });
  for (let sent = 0; sent < count; sent += BURST) {
    for (let i = 0; i < BURST; i++) {
      const piece = random.pick(pieces)(random);
      // Bytes arrive as the network cuts them.
      const cut = random.below(piece.length + 1);
      peer.send(piece.subarray(0, cut));
      peer.send(piece.subarray(cut));
    }
    // Whatever is still waited for comes; line ends between messages mean nothing.
    peer.send(text('\r\n'.repeat(LIE)));
    await ask('threads', {});
  }
  await ask('disconnect', {});
  await served;
}

/** Sends so many pieces, in sessions. Rejects with the seed in its message when one is the adapter's end. */
export async function streamCampaign(count: number, random = new SeededBytes()): Promise<void> {
  for (let sent = 0; sent < count; sent += SESSION) await session(random, Math.min(SESSION, count - sent));
}
