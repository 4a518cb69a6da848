/**
 * An hour of stop, step, evaluate, restart and disconnect on one server, four vCPUs of the sample guest: memory and descriptors
 * stay flat after warm-up, and not one request fails. TRAPLINE_SOAK_MINUTES: how long.
 */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import path from 'node:path';
import { env } from 'node:process';
import { it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { DebugProtocol as P } from '@vscode/debugprotocol';
import { AdapterServer } from '../dap/adapter-server.ts';
import { Client, overSocket } from '../dap/client.ts';
import { guest } from '../dap/story.ts';
import { freshSeed, SeededRandom } from '../harness/seeded-random.ts';

const minutes = Number(env['TRAPLINE_SOAK_MINUTES'] ?? 60);
const seed = env['TRAPLINE_SOAK_SEED'] ?? freshSeed();
/** Stops of one session, and of one machine: after that comes a disconnect, a restart. */
const SESSION_STOPS = 400;
const MACHINE_STOPS = 80;
const TENTHS = 10;

const launch = {
  kernel: path.join(guest, 'smp.elf'),
  machine: { cpus: 4, memory: '64M' },
  stopOnEntry: 'worker_run',
};
const source = { path: path.join(guest, 'worker.c') };

interface Tenth {
  sessions: number;
  restarts: number;
  stops: number;
  memory: number[];
  descriptors: number[];
}

type Stop = P.StoppedEvent['body'];

/** How the guest comes to rest: by stops, and by its end (undefined). */
class Rests {
  private rests: (Stop | undefined)[] = [];
  private wake: () => void = () => undefined;

  constructor(client: Client) {
    client.onMessage = (_direction, { event, body }) => {
      if (event === 'exited') this.rests.push(undefined);
      else if (event === 'stopped' && (body as Stop).allThreadsStopped === true) this.rests.push(body as Stop);
      this.wake();
    };
  }
  forget(): void {
    this.rests = [];
  }
  async next(): Promise<Stop | undefined> {
    while (this.rests.length === 0) await new Promise<void>((resolve) => (this.wake = resolve));
    return this.rests.shift();
  }
}

/** What a user looks at at a stop. Any refusal rejects. */
async function look(client: Client, threadId: number): Promise<void> {
  const { stackFrames } = await client.request<P.StackTraceResponse['body']>('stackTrace', { threadId, levels: 20 });
  const frameId = stackFrames[0]?.id;
  const { scopes } = await client.request<P.ScopesResponse['body']>('scopes', { frameId });
  const locals = scopes[0]?.variablesReference;
  await client.request('variables', { variablesReference: locals });
  await client.request('evaluate', { expression: 'shared_list', frameId, context: 'watch' });
  await client.request('evaluate', { expression: '$rip', frameId, context: 'repl' });
  await client.request('trapline/machine');
}

async function playSession(
  server: AdapterServer,
  random: SeededRandom,
  tenth: Tenth,
  late: () => boolean,
): Promise<void> {
  const socket = connect(server.port, '127.0.0.1');
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const client = new Client(overSocket(socket));
  const rests = new Rests(client);
  const setLine = (line: number): Promise<unknown> =>
    client.request('setBreakpoints', { source, breakpoints: [{ line }] });
  await client.launch(launch, async () => void (await setLine(79)));
  let stop = await rests.next();
  tenth.sessions++;
  for (let stops = 1; stops <= SESSION_STOPS && !late(); stops++) {
    if (stop === undefined || stops % MACHINE_STOPS === 0) {
      rests.forget();
      await client.request('restart', random.chance(0.5) ? { arguments: launch } : {});
      tenth.restarts++;
    } else {
      tenth.stops++;
      const { threadId = 1 } = stop;
      await look(client, threadId);
      if (random.chance(0.1)) await setLine(random.pick([60, 79, 85]));
      const command = random.pick(['continue', 'continue', 'next', 'stepIn', 'stepOut', 'instruction'] as const);
      if (command === 'instruction') await client.request('next', { threadId, granularity: 'instruction' });
      else await client.request(command, { threadId });
    }
    // A client remembers everything.
    client.messages.length = 0;
    client.forgetEvents();
    stop = await rests.next();
  }
  await client.request('disconnect');
  await closed;
}

it(`${minutes} minutes on one server: memory and descriptors are flat, nothing fails`, async () => {
  console.log(`seed ${seed}`);
  const random = new SeededRandom(seed);
  const server = await AdapterServer.start({ from: 'bundle' });
  const tenths: Tenth[] = [];
  const length = (minutes * 60_000) / TENTHS;
  let quiet = 0;
  try {
    for (let index = 0; index < TENTHS; index++) {
      const tenth: Tenth = { sessions: 0, restarts: 0, stops: 0, memory: [], descriptors: [] };
      tenths.push(tenth);
      const end = performance.now() + length;
      while (performance.now() < end) {
        const sampling = setInterval(() => tenth.memory.push(server.memory()), 1000);
        try {
          await playSession(server, random, tenth, () => performance.now() >= end);
        } finally {
          clearInterval(sampling);
        }
        tenth.memory.push(server.memory());
        // Between two sessions nothing is open.
        for (let wait = 0; wait < 100 && quiet !== 0 && server.descriptors() > quiet; wait++) await delay(20);
        if (quiet === 0) {
          await delay(500);
          quiet = server.descriptors();
        }
        tenth.descriptors.push(server.descriptors());
      }
      const span = (values: readonly number[]): string =>
        `${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)}`;
      console.log(
        `tenth ${index + 1}: ${tenth.sessions} sessions, ${tenth.restarts} restarts, ${tenth.stops} stops, ` +
          `${span(tenth.memory)} MB, descriptors ${span(tenth.descriptors)}`,
      );
    }
  } finally {
    await server.stop();
  }
  const all = (what: 'sessions' | 'restarts' | 'stops'): number => tenths.reduce((sum, tenth) => sum + tenth[what], 0);
  console.log(`${all('sessions')} sessions, ${all('restarts')} restarts, ${all('stops')} stops, 0 errors`);
  assert.ok(all('stops') >= minutes * 60, `only ${all('stops')} stops: the soak did not do its work`);
  for (const { descriptors } of tenths) assert.ok(Math.max(...descriptors) <= quiet, 'descriptors are left');
  // The first three tenths are warm-up: code is compiled, heaps find their size.
  const peak = (from: number, to: number): number =>
    Math.max(...tenths.slice(from, to).flatMap(({ memory }) => memory));
  const [warm, late] = [peak(2, 6), peak(6, TENTHS)];
  assert.ok(late <= warm * 1.15 + 16, `memory grows: at most ${warm} MB in the middle, ${late} MB at the end`);
});
