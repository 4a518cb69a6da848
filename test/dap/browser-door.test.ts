/**
 * A page of another origin, in a real Chromium, against the port of `trapline dap`: browsers connect to any port of this
 * machine that a page names, and a request that looks like DAP may come out of them. Nothing of it may boot a guest or
 * touch a file. As a proof that the page's requests arrive, the adapter is to refuse each of them.
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { findChromium } from '../../scripts/install-vscode.ts';
import { startBrowser, type RunningBrowser } from '../harness/browser.ts';
import { Served, SocketClient } from './served.ts';
import { guest } from './story.ts';

/** A name of the attacker's that was made to stand for 127.0.0.1, as in DNS rebinding. */
const REBOUND = 'rebound.example';
const VICTIM_SIZE = 1 << 20;
const skip = findChromium() === undefined ? 'no Chromium on this machine' : false;

const folder = mkdtempSync(path.join(tmpdir(), 'trapline-browser-door-'));
const victim = path.join(folder, 'victim.img');
let browser: RunningBrowser | undefined;
const pages = createServer((_request, response) => response.setHeader('content-type', 'text/html').end('<p>a page'));

before(async () => {
  if (skip !== false) return;
  browser = await startBrowser(undefined, [REBOUND]);
  await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve));
});
after(async () => {
  await browser?.stop();
  pages.close();
  rmSync(folder, { recursive: true, force: true });
});

const disks = [{ file: victim, writable: true }];
const launch = { kernel: path.join(guest, 'smp.elf'), machine: { cpus: 1, memory: '32M', disks }, stopOnEntry: true };
const request = JSON.stringify({ seq: 1, type: 'request', command: 'launch', arguments: launch });
const framed = `Content-Length: ${request.length}\r\n\r\n${request}`;

interface Attempt {
  readonly name: string;
  readonly host: string;
  readonly path: string;
  readonly body: string;
  readonly mode: 'no-cors' | 'cors' | 'same-origin';
}
const attempts: readonly Attempt[] = [
  { name: 'the head of a POST as a header', host: '127.0.0.1', path: '/', body: request, mode: 'no-cors' },
  { name: 'a whole stream behind a long URL', host: '127.0.0.1', path: `/${'a'.repeat(6000)}`, body: framed, mode: 'no-cors' },
  { name: 'lines of padding before a stream', host: '127.0.0.1', path: `/${'a'.repeat(6000)}`, body: `${'\r\n'.repeat(60_000)}${framed}`, mode: 'no-cors' },
  { name: 'a preflight', host: '127.0.0.1', path: '/', body: framed, mode: 'cors' },
  { name: 'a name that was bound anew', host: REBOUND, path: '/', body: request, mode: 'no-cors' },
  { name: 'the same with a long URL', host: REBOUND, path: `/${'a'.repeat(6000)}`, body: framed, mode: 'no-cors' },
]; // prettier-ignore

for (const token of [true, false]) {
  test(
    `a page of another origin launches nothing ${token ? 'on a port with a token' : 'with --no-token'}`,
    { skip },
    async () => {
      assert.ok(browser !== undefined);
      const untouched = Buffer.alloc(VICTIM_SIZE, 0x55);
      writeFileSync(victim, untouched);
      const served = new Served(['--port', '0', ...(token ? [] : ['--no-token'])]);
      try {
        const port = await served.port();
        await browser.page.goto(`http://127.0.0.1:${(pages.address() as AddressInfo).port}/`);
        for (const [index, { name, host, path: target, body, mode }] of attempts.entries()) {
          const failed: boolean = await browser.page.evaluate(
            ([url, text, how]) =>
              fetch(url, {
                method: 'POST',
                body: text,
                mode: how,
                ...(how === 'cors' ? { headers: { 'X-Own': '1' } } : {}),
              }).then(
                () => false,
                () => true,
              ),
            [`http://${host}:${port}${target}`, body, mode] as const,
          );
          assert.equal(failed, true, name);
          await served.says(new RegExp(`(no debugger's: it began with '(POST|OPTIONS) [^]*){${index + 1}}`));
          assert.equal(existsSync(`${victim}.trapline-lock`), false, name);
        }
        assert.deepEqual(readFileSync(victim), untouched);
        // The port is as it was: whoever knows the token is served.
        const client = new SocketClient({ port, host: '127.0.0.1' });
        assert.equal((await client.request('initialize', { adapterID: 'x' }))['success'], true);
        const known = token ? { token: await served.token() } : {};
        assert.equal((await client.request('launch', { ...launch, ...known }))['success'], true);
        assert.equal(existsSync(`${victim}.trapline-lock`), true);
        await client.request('disconnect');
        await client.closed;
      } finally {
        await served.kill();
      }
    },
  );
}
