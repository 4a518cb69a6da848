// Our framing against one that nobody here wrote: the protocol server of @vscode/debugadapter, both ways, over streams
// that cut messages anywhere.
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { ProtocolServer } from '@vscode/debugadapter/lib/protocol.js';
import type { DebugProtocol } from '@vscode/debugprotocol';
import * as fc from 'fast-check';
import { campaignSeed, fastCheckSeed } from '../harness/random.ts';
import { encodeMessage, FrameReader } from '../../src/dap/framing.ts';

/** Answers every request with its own arguments. */
class Echo extends ProtocolServer {
  protected override dispatchRequest(request: DebugProtocol.Request): void {
    const { seq, command } = request;
    const body: unknown = request.arguments;
    this.sendResponse({ seq: 0, type: 'response', request_seq: seq, success: true, command, body });
  }
}
const text = fc.oneof(fc.string(), fc.constantFrom('naïve ☃ 🐧', '\r\n\r\n', 'Content-Length: 7\r\n\r\n{}'));

test('the reference server understands our messages, and we understand its own', async () => {
  const seed = campaignSeed();
  console.log(`seed ${seed}`);
  const messages = fc.array(fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), text), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(messages, fc.integer({ min: 1, max: 40 }), async (sent, pieceSize) => {
      const [toServer, fromServer] = [new PassThrough(), new PassThrough()];
      const server = new Echo();
      server.start(toServer, fromServer);
      const reader = new FrameReader();
      const received: unknown[] = [];
      const done = new Promise<void>((resolve) => {
        fromServer.on('data', (chunk: Buffer) => {
          for (let at = 0; at < chunk.length; at += pieceSize) {
            for (const frame of reader.push(chunk.subarray(at, at + pieceSize))) {
              assert.ok(frame.ok);
              received.push(frame.message);
            }
          }
          if (received.length === sent.length) resolve();
        });
      });
      const bytes = Buffer.concat(
        sent.map((body, i) => encodeMessage({ seq: i + 1, type: 'request', command: 'echo', arguments: body })),
      );
      for (let at = 0; at < bytes.length; at += pieceSize) toServer.write(bytes.subarray(at, at + pieceSize));
      await done;
      const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
      assert.deepEqual(
        received.map((message) => (message as DebugProtocol.Response).body as unknown),
        plain(sent),
      );
    }),
    { seed: fastCheckSeed(seed), numRuns: 60 },
  );
});
