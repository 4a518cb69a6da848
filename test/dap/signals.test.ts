/** What the system sends to end a process: the first SIGTERM, SIGINT or SIGHUP ends every mode, in every state. */
import assert from 'node:assert/strict';
import { spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { encodeMessage } from '../../src/dap/framing.ts';
import { seconds, writeFloodKernel } from './flood.ts';
import { Served, SocketClient, startCli } from './served.ts';
import { guest } from './story.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'trapline-signals-'));
after(() => rmSync(folder, { recursive: true }));
const skip = process.platform === 'win32' ? 'Windows has no such signals' : false;

const STATUS = { SIGTERM: 143, SIGINT: 130, SIGHUP: 129 } as const;
const signals = Object.keys(STATUS) as (keyof typeof STATUS)[];

const image = path.join(folder, 'disk.img');
writeFileSync(image, new Uint8Array(1 << 20));
const flood = path.join(folder, 'flood.elf');
writeFloodKernel(flood);
const disks = [{ file: image, writable: true }];
const launch = { kernel: path.join(guest, 'smp.elf'), machine: { cpus: 1, memory: '32M', disks } };

async function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}
/** One signal, and nothing is left: no lock, no socket. */
async function expectEnd(child: ChildProcess, signal: keyof typeof STATUS): Promise<void> {
  child.kill(signal);
  assert.equal(await exitOf(child), STATUS[signal], signal);
  assert.deepEqual(readdirSync(folder).sort(), ['disk.img', 'flood.elf'], signal);
}
const lockIsThere = async (): Promise<void> => {
  while (!existsSync(`${image}.trapline-lock`)) await seconds(0.05);
};

/** States of a session, and what a client sends to get there. */
const states: readonly (readonly [name: string, requests: readonly (readonly [string, unknown])[]])[] = [
  ['initialized', [['initialize', {}]]],
  ['launched', [['initialize', {}], ['launch', launch]]],
  ['stopped', [['initialize', {}], ['launch', { ...launch, stopOnEntry: true }], ['configurationDone', {}]]],
  ['running', [['initialize', {}], ['launch', { ...launch, kernel: flood }], ['configurationDone', {}]]],
]; // prettier-ignore

describe('a signal ends cleanly', { skip }, () => {
  for (const [index, [name, requests]] of states.entries()) {
    const signal = signals[index % signals.length] ?? 'SIGTERM';
    it(`dap on standard input, ${name} (${signal})`, { timeout: 60_000 }, async () => {
      const child = startCli(['dap'], 'pipe');
      for (const [seq, [command, argument]] of requests.entries()) {
        child.stdin?.write(encodeMessage({ seq: seq + 1, type: 'request', command, arguments: argument }));
      }
      // The last state is one whose output nobody reads.
      if (name === 'initialized') await once(child.stdout ?? assert.fail(), 'data');
      else await lockIsThere();
      await seconds(1);
      await expectEnd(child, signal);
    });
  }

  for (const signal of signals) {
    it(`dap --port, with a client that stays (${signal})`, { timeout: 60_000 }, async () => {
      const served = new Served(['--port', '0', '--no-token']);
      try {
        const client = new SocketClient({ port: await served.port(), host: '127.0.0.1' });
        await client.request('initialize', {});
        assert.equal((await client.request('launch', { ...launch, kernel: flood }))['success'], true);
        await client.request('configurationDone');
        await lockIsThere();
        const silent = connect(await served.port(), '127.0.0.1');
        silent.on('error', () => undefined);
        client.socket.pause(); // it does not even read
        await expectEnd(served.child, signal);
        client.socket.destroy();
        silent.destroy();
      } finally {
        await served.kill();
      }
    });
  }

  it('dap --socket (SIGHUP)', { timeout: 60_000 }, async () => {
    const served = new Served(['--socket', path.join(folder, 's')]);
    try {
      await served.says(/debug adapter on/);
      await expectEnd(served.child, 'SIGHUP');
    } finally {
      await served.kill();
    }
  });

  for (const signal of signals) {
    it(`run, with a writable disk (${signal})`, { timeout: 60_000 }, async () => {
      const child = startCli(['run', '--kernel', flood, '--memory', '32M', '--disk', `${image},writable`], 'pipe');
      child.stdout?.resume();
      await lockIsThere();
      await expectEnd(child, signal);
    });
  }

  it('run in a terminal, which is as it was', { timeout: 60_000 }, (context) => {
    if (spawnSync('script', ['--version']).status !== 0) return context.skip('there is no script(1) here');
    // script(1) gives it a terminal; stty says how that is before, meanwhile and after.
    const root = path.join(import.meta.dirname, '../..');
    const steps = path.join(folder, 'steps.sh');
    const run = `exec ${process.execPath} --import tsx src/entry/cli.ts run --kernel ${flood} --memory 32M`;
    writeFileSync(
      steps,
      `cd ${root}
stty -a > ${folder}/before
(until stty -a < /dev/tty | grep -q -e '-icanon'; do sleep 0.2; done; echo raw; kill -TERM $(cat ${folder}/pid)) &
sh -c 'echo $$ > ${folder}/pid; ${run} > /dev/null'
echo "status $?"
stty -a > ${folder}/after
cmp ${folder}/before ${folder}/after && echo 'as it was'
`,
    );
    const done = spawnSync('script', ['-qec', `bash ${steps}`, '/dev/null'], { encoding: 'utf8', timeout: 50_000 });
    for (const name of ['steps.sh', 'before', 'after', 'pid']) rmSync(path.join(folder, name), { force: true });
    assert.match(done.stdout, /raw\r?\n/);
    assert.match(done.stdout, /status 143\r?\nas it was/);
  });
});
