/**
 * Random endings on one server: sessions that launch with a writable disk, run, stop, step, restart, launch twice, terminate
 * and disconnect in any order, and whose connection ends in every way and at any moment. Afterwards nothing is left, and the
 * next launch works. TRAPLINE_ENDINGS: how many; TRAPLINE_ENDINGS_SEED: which.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { env } from 'node:process';
import { it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { freshSeed, SeededRandom } from '../harness/seeded-random.ts';
import { AdapterServer } from './adapter-server.ts';
import { Client, overSocket, RequestFailed } from './client.ts';
import { guest } from './story.ts';

const endings = Number(env['TRAPLINE_ENDINGS'] ?? 100);
const seed = env['TRAPLINE_ENDINGS_SEED'] ?? freshSeed();
/** Longest wait for the server to have released everything, in milliseconds; far more than it needs. */
const PATIENCE = 30_000;
/** Once in some 800 sessions one descriptor was seen to stay, for a reason that is not known yet; a second one fails. */
const STRAY = 1;

const kernel = path.join(guest, 'smp.elf');
const source = { path: path.join(guest, 'worker.c') };

/** How a connection ends. */
const ends = ['disconnect', 'disconnect', 'terminate', 'fin', 'half-closed', 'reset', 'unread'] as const;
type End = (typeof ends)[number];

/** What happened in all sessions, so that nobody takes a campaign that reached nothing for one that passed. */
const tally = new Map<string, number>();
const count = (what: string): void => void tally.set(what, (tally.get(what) ?? 0) + 1);

interface Rig {
  readonly server: AdapterServer;
  readonly image: string;
}
const lockOf = ({ image }: Rig): string => `${image}.trapline-lock`;

async function until(what: string, met: () => boolean, found: () => string = () => ''): Promise<void> {
  const start = performance.now();
  while (!met()) {
    if (performance.now() - start > PATIENCE) assert.fail(`still not so: ${what} ${found()}`);
    await delay(5);
  }
}

interface Session {
  readonly client: Client;
  readonly socket: Socket;
  readonly closed: Promise<void>;
  /** Requests that have no answer yet. */
  readonly unanswered: Map<symbol, string>;
}

/** A connection that is served: the one before may need a moment to go. */
async function join(rig: Rig): Promise<Session> {
  const start = performance.now();
  for (;;) {
    const socket = connect(rig.server.port, '127.0.0.1');
    socket.on('error', () => undefined); // a reset is one way to end
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    const client = new Client(overSocket(socket));
    // A second client is told that there is one already.
    const answered = client.request('initialize', { adapterID: 'trapline' }).then(
      () => true,
      () => false,
    );
    if (await Promise.race([answered, closed.then(() => false)]))
      return { client, socket, closed, unanswered: new Map() };
    socket.destroy();
    if (!rig.server.alive) assert.fail(`the server died: ${rig.server.stderr.slice(-2000)}`);
    if (performance.now() - start > PATIENCE) assert.fail('the server takes no client any more');
    await delay(5);
  }
}

function configuration(random: SeededRandom, rig: Rig): object {
  return {
    kernel: random.chance(0.05) ? '/nowhere/kernel.elf' : kernel,
    machine: {
      cpus: 1 + random.below(4),
      memory: random.pick(['16M', '32M']),
      disks: [{ file: rig.image, writable: true }],
    },
    stopOnEntry: random.pick<unknown>([true, false, 'reset', 'worker_run', 'no_such_function']),
  };
}

/** A request with arguments that mean something; what only ends or overtakes is rarer than what goes on. */
function action(random: SeededRandom, rig: Rig): readonly [string, object] {
  const threadId = 1 + random.below(4);
  switch (random.below(24)) {
    case 0:
      return ['launch', configuration(random, rig)];
    case 1:
      return ['configurationDone', {}];
    case 2:
      return ['terminate', {}];
    case 3:
    case 4:
    case 5:
      return ['restart', random.chance(0.5) ? {} : { arguments: configuration(random, rig) }];
    case 6:
    case 7:
      return ['pause', { threadId }];
    case 8:
    case 9:
    case 10:
      return [random.pick(['next', 'stepIn', 'stepOut']), { threadId }];
    case 11:
    case 12:
      return ['setFunctionBreakpoints', { breakpoints: [{ name: random.pick(['list_repair', 'worker_run']) }] }];
    case 13:
    case 14:
      return ['setBreakpoints', { source, breakpoints: [{ line: 79 }] }];
    case 15:
    case 16:
    case 17:
      return [random.pick(['stackTrace', 'threads', 'modules', 'trapline/machine']), { threadId }];
    case 18:
    case 19:
      return ['evaluate', { expression: 'shared_list' }];
    default:
      return ['continue', { threadId }];
  }
}

/** Lets something between two requests happen, or nothing at all. */
async function breathe(random: SeededRandom, session: Session): Promise<void> {
  switch (random.below(5)) {
    case 0:
    case 1:
      return; // in the same write, if the system likes
    case 2:
      return new Promise((resolve) => void setImmediate(resolve));
    case 3:
      return delay(random.below(15));
    default:
      // The guest gets somewhere, if it is on its way.
      await Promise.race([session.client.stopped(), session.closed, delay(60)]);
  }
}

async function end(how: End, session: Session): Promise<void> {
  const { client, socket, closed, unanswered } = session;
  switch (how) {
    case 'disconnect':
    case 'terminate': {
      if (how === 'terminate') void answer(session, 'terminate', {});
      await client.request('disconnect');
      await closed;
      // A client that waits for its answers gets every one of them.
      assert.deepEqual([...unanswered.values()], []);
      break;
    }
    case 'fin':
      socket.end();
      socket.destroySoon();
      break;
    case 'half-closed':
      socket.end();
      await closed; // the server's end has to follow
      break;
    case 'reset':
      socket.resetAndDestroy();
      break;
    case 'unread':
      socket.pause();
      await delay(10);
      socket.destroy();
  }
  socket.destroy();
  await closed;
}

/** How a request was answered; pending for ever when the connection ends first. */
async function answer(session: Session, command: string, argument: object): Promise<void> {
  const mark = Symbol(command);
  session.unanswered.set(mark, command);
  try {
    await session.client.request(command, argument);
    count(`${command} done`);
  } catch (error) {
    assert.ok(error instanceof RequestFailed);
    assert.ok(!error.message.includes('Internal error'), `${command}: ${error.message}`);
    count(error.message.includes('given up') ? `${command} given up` : `${command} refused`);
  } finally {
    session.unanswered.delete(mark);
  }
}

async function playAndEnd(random: SeededRandom, rig: Rig): Promise<void> {
  const session = await join(rig);
  const ask = async (command: string, argument: object, patient: boolean): Promise<void> => {
    const answered = answer(session, command, argument);
    if (patient) await Promise.race([answered, session.closed]);
    else await breathe(random, session);
  };
  // Most sessions begin as sessions do, and most of those wait for the answers; the others begin with whatever comes.
  if (random.chance(0.9)) {
    const patient = random.chance(0.8);
    await ask('launch', configuration(random, rig), patient);
    if (random.chance(0.9)) await ask('configurationDone', {}, patient);
  }
  for (let left = random.below(10); left > 0; left--) {
    const [command, argument] = action(random, rig);
    await ask(command, argument, random.chance(0.3));
    if (existsSync(lockOf(rig))) count('disk locked');
  }
  const how = random.pick(ends);
  count(`end by ${how}`);
  await end(how, session);
  const events = session.client.messages.filter(({ type }) => type === 'event');
  if (events.some(({ event }) => event === 'stopped')) count('stopped');
  const launches = session.client.messages.filter(({ command, success }) => command === 'launch' && success === true);
  assert.ok(events.filter(({ event }) => event === 'initialized').length <= launches.length, 'initialized too often');
}

/** Launch, stop, disconnect: everything works. */
async function probe(rig: Rig): Promise<void> {
  const { client, socket, closed } = await join(rig);
  const disks = [{ file: rig.image, writable: true }];
  await client.request('launch', { kernel, machine: { cpus: 2, memory: '16M', disks }, stopOnEntry: true });
  assert.ok(existsSync(lockOf(rig)));
  await client.request('configurationDone');
  await client.stopped();
  await client.request('disconnect');
  assert.ok(!existsSync(lockOf(rig)), 'the lock is gone when disconnect is answered');
  socket.end();
  await closed;
}

it(`${endings} random endings on one server leave nothing behind`, async () => {
  console.log(`seed ${seed}`);
  const folder = mkdtempSync(path.join(tmpdir(), 'trapline-endings-'));
  const image = path.join(folder, 'disk.img');
  writeFileSync(image, new Uint8Array(1 << 20));
  const server = await AdapterServer.start({ from: 'bundle' });
  const rig: Rig = { server, image };
  const memory: number[] = [];
  try {
    for (let round = 0; round < 3; round++) await probe(rig);
    await delay(200);
    const before = { files: server.openFiles(), descriptors: server.descriptors() };
    for (let index = 0; index < endings; index++) {
      await playAndEnd(new SeededRandom(`${seed} ${index}`), rig).catch((error: unknown) => {
        throw new Error(`ending ${index} of seed ${seed}: ${String(error)}`, { cause: error });
      });
      await until(`ending ${index} of seed ${seed}: no lock is left`, () => !existsSync(lockOf(rig)));
      await until(
        `ending ${index} of seed ${seed}: no descriptor is left`,
        () => server.descriptors() <= before.descriptors + STRAY,
        () => `(${before.descriptors} before, ${server.descriptors()} now)`,
      );
      assert.deepEqual(server.openFiles(), before.files, `ending ${index} of seed ${seed}`);
      if (index % 5 === 0) await probe(rig);
      memory.push(server.memory());
    }
    await probe(rig);
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true });
  }
  for (const [what, times] of [...tally].sort()) console.log(`${what}: ${times}`);
  // Sessions that reached nothing would prove nothing.
  const share = (what: string): number => (tally.get(what) ?? 0) / endings;
  for (const [what, least] of [
    ['launch done', 0.4],
    ['launch given up', 0.01],
    ['restart done', 0.02],
    ['stopped', 0.12],
    ['disk locked', 0.4],
  ] as const)
    assert.ok(share(what) >= least, `${what}: ${share(what)} of the sessions, ${least} expected`);
  const quarter = (part: number): number[] => memory.slice((part * endings) / 4, ((part + 1) * endings) / 4);
  const [early, late] = [Math.max(...quarter(1)), Math.max(...quarter(3))];
  console.log(
    `resident memory: at most ${early.toFixed(0)} MB in the second quarter, ${late.toFixed(0)} MB in the last`,
  );
  // A machine that is left behind costs 16 MB or more each time.
  assert.ok(late < early * 1.25 + 32, `memory grows: ${early} MB, then ${late} MB`);
});
