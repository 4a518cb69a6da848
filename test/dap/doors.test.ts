/** Who may come in by the doors of `trapline dap`: a port and a socket file. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { encodeMessage } from '../../src/dap/framing.ts';
import { Served, SocketClient, type Message } from './served.ts';
import { guest } from './story.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'trapline-doors-'));
after(() => rmSync(folder, { recursive: true }));

const kernel = path.join(guest, 'smp.elf');
const launch = { kernel, machine: { cpus: 1, memory: '32M' }, stopOnEntry: true };
const initialize = { adapterID: 'trapline', clientID: 'test' };

async function withServed(args: readonly string[], work: (served: Served) => Promise<void>): Promise<void> {
  const served = new Served(args);
  try {
    await work(served);
  } finally {
    await served.kill();
  }
}
const onPort = async (served: Served): Promise<SocketClient> =>
  new SocketClient({ port: await served.port(), host: '127.0.0.1' });
const errorOf = (message: Message): string => String(message['message']);

describe('a port', () => {
  it('is closed to what is no DAP: one line on standard error, and nothing is launched', () =>
    withServed(['--port', '0', '--no-token'], async (served) => {
      const request = JSON.stringify({ seq: 1, type: 'request', command: 'launch', arguments: launch });
      const stream = Buffer.from(encodeMessage({ seq: 1, type: 'request', command: 'launch', arguments: launch }));
      const http = (target: string): string =>
        `POST ${target} HTTP/1.1\r\nHost: evil.example:80\r\nContent-Length: ${request.length}\r\n\r\n${request}`;
      const attempts: (string | Buffer)[] = [
        http('/'),
        Buffer.concat([Buffer.from(http(`/${'a'.repeat(6000)}`)), stream]),
        Buffer.concat([Buffer.from('\r\n'), stream]),
        `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`,
        '\x16\x03\x01\x02\x00\x01\x00\x01',
        '{"seq":1}',
      ];
      for (const [index, bytes] of attempts.entries()) {
        const client = await onPort(served);
        client.socket.write(bytes);
        await client.closed;
        assert.equal(client.bytes.length, 0, 'not a byte is answered');
        await served.says(new RegExp(`(closed a connection[^\\n]*\\n[^]*){${index + 1}}`));
      }
      assert.equal(
        served.stderr.split('\n').filter((line) => line.includes('closed a connection')).length,
        attempts.length,
      );
      const client = await onPort(served);
      assert.equal((await client.request('initialize', initialize))['success'], true);
    }));

  it('is closed by the first broken header of a client, too', () =>
    withServed(['--port', '0', '--no-token'], async (served) => {
      const breaks = [
        'Content-Length: x\r\n\r\n',
        `Content-Length: 1${'0'.repeat(5000)}`,
        'Content-Length: 99999999\r\n\r\n',
      ];
      for (const bad of [...breaks, 'X: y\r\nContent-Length: 5\r\n\r\n12345']) {
        const client = await onPort(served);
        assert.equal((await client.request('initialize', initialize))['success'], true);
        client.socket.write(bad);
        await client.closed;
        await served.says(/closed a client's connection: .*\. The connection is closed\.\n$/);
        served.stderr = served.stderr.replaceAll('closed a client', 'CLOSED a client');
      }
    }));

  it('wants the token that it printed, and answers nothing but initialize before', () =>
    withServed(['--port', '0'], async (served) => {
      const client = await onPort(served);
      const token = await served.token();
      assert.equal((await client.request('initialize', initialize))['success'], true);
      for (const command of ['threads', 'evaluate', 'setBreakpoints', 'cancel', 'restart', 'trapline/machine']) {
        assert.equal((await client.request(command, { expression: '1', source: {} }))['success'], false, command);
      }
      assert.match(errorOf(await client.request('threads')), /after a launch with the right 'token' only/);
      assert.match(errorOf(await client.request('launch', launch)), /'token' is missing/);
      for (const wrong of ['', token.slice(1), `${token} `, token.toUpperCase(), '0'.repeat(40)]) {
        assert.match(errorOf(await client.request('launch', { ...launch, token: wrong })), /'token' is not the token/);
      }
      for (const wrong of [7, [token], { token }]) {
        assert.match(errorOf(await client.request('launch', { ...launch, token: wrong })), /'token' is missing/);
      }
      assert.equal(
        client.messages.some(({ event }) => event === 'initialized'),
        false,
      );
      const launched = await client.request('launch', { ...launch, token });
      assert.equal(launched['success'], true, errorOf(launched));
      await client.event('initialized');
      assert.equal((await client.request('configurationDone'))['success'], true);
      await client.event('stopped');
      assert.equal((await client.request('threads'))['success'], true);
    }));

  it('has another token each time', async () => {
    const tokens: string[] = [];
    for (let i = 0; i < 2; i++) {
      await withServed(['--port', '0'], async (served) => void tokens.push(await served.token()));
    }
    assert.notEqual(tokens[0], tokens[1]);
  });

  it('T-B8 tells a second client why it is refused, and has room when the first has gone', () =>
    withServed(['--port', '0', '--no-token'], async (served) => {
      const first = await onPort(served);
      assert.equal((await first.request('initialize', initialize))['success'], true);
      const second = await onPort(served);
      const answer = await second.request('initialize', initialize);
      assert.equal(answer['success'], false);
      assert.match(errorOf(answer), /^Another client is connected/);
      await second.closed;
      assert.equal(second.error, undefined, 'closed, not reset');
      assert.equal((await first.request('disconnect'))['success'], true);
      await first.closed;
      const third = await onPort(served);
      assert.equal((await third.request('initialize', initialize))['success'], true);
      third.socket.destroy();
    }));

  it('is not taken by a connection that says nothing', () =>
    withServed(['--port', '0', '--no-token'], async (served) => {
      const silent = await onPort(served);
      await new Promise((resolve) => silent.socket.once('connect', resolve));
      const client = await onPort(served);
      assert.equal((await client.request('initialize', initialize))['success'], true);
      silent.socket.destroy();
    }));
});

describe('a socket file', { skip: process.platform === 'win32' ? 'Windows has named pipes' : false }, () => {
  it('serves its owner alone, without a token, and is gone at the end', () =>
    withServed(['--socket', path.join(folder, 'a.sock')], async (served) => {
      const file = (await served.says(/debug adapter on (.*)\n/))[1] ?? '';
      assert.equal(statSync(file).mode & 0o777, 0o600);
      const client = new SocketClient({ path: file });
      assert.equal((await client.request('initialize', initialize))['success'], true);
      assert.equal((await client.request('launch', launch))['success'], true);
      served.child.kill('SIGTERM');
      assert.deepEqual(await served.exit, { code: 143, signal: null });
      assert.equal(existsSync(file), false);
      assert.equal(existsSync(`${file}.trapline-lock`), false);
    }));

  it('that a killed adapter left is taken over; a living one is not', async () => {
    const file = path.join(folder, 'b.sock');
    await withServed(['--socket', file], async (first) => {
      await first.says(/debug adapter on/);
      await withServed(['--socket', file], async (second) => {
        assert.deepEqual(await second.exit, { code: 2, signal: null });
        assert.match(second.stderr, new RegExp(`process ${first.child.pid} listens there already`));
      });
      first.child.kill('SIGKILL');
      await first.exit;
      assert.equal(existsSync(file), true);
      await withServed(['--socket', file], async (third) => {
        await third.says(/debug adapter on/);
        const client = new SocketClient({ path: file });
        assert.equal((await client.request('initialize', initialize))['success'], true);
      });
    });
  });

  it('of many that start at once over one that was left, exactly one listens', async () => {
    const file = path.join(folder, 'c.sock');
    const left = new Served(['--socket', file]);
    await left.says(/debug adapter on/);
    await left.kill();
    const all = Array.from({ length: 4 }, () => new Served(['--socket', file]));
    try {
      const ends = await Promise.all(
        all.map((one) =>
          Promise.race([
            one.exit,
            one
              .says(/debug adapter on/)
              .then(() => 'listens')
              .catch(() => 'ended'),
          ]),
        ),
      );
      assert.equal(ends.filter((end) => end === 'listens').length, 1, JSON.stringify(ends));
      for (const one of all)
        if (!one.stderr.includes('debug adapter on')) assert.match(one.stderr, /listens there already/);
    } finally {
      await Promise.all(all.map((one) => one.kill()));
    }
  });

  it('is not put where others could replace it, nor over something else', async () => {
    const open = mkdtempSync(path.join(folder, 'open-'));
    chmodSync(open, 0o777);
    const other = path.join(folder, 'a-file');
    writeFileSync(other, 'kept');
    const cases: [string, RegExp][] = [
      [path.join(open, 's'), /other users may write to this folder/],
      [path.join(folder, 'nowhere', 's'), /there is no such file or directory/],
      [other, /something that is no socket/],
      [path.join(folder, 'x'.repeat(200)), /at most 103 bytes/],
    ];
    for (const [file, message] of cases) {
      await withServed(['--socket', file], async (served) => {
        assert.deepEqual(await served.exit, { code: 2, signal: null }, served.stderr);
        assert.match(served.stderr, message);
        assert.equal(served.stderr.trimEnd().split('\n').length, 1);
      });
    }
    assert.equal(statSync(other).size, 4);
  });
});
