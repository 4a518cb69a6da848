/**
 * Requests with any arguments at all are answered, and never by an error of ours. Most arguments are made of what the session
 * itself gave out (threads, frames, variables, addresses), so that handlers are reached; some are junk. The guest runs now and then.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import { it } from 'node:test';
import type { DebugProtocol as P } from '@vscode/debugprotocol';
import * as fc from 'fast-check';
import { createAdapter } from '../../src/dap/adapter.ts';
import { Dispatcher } from '../../src/dap/dispatcher.ts';
import { createNodeAdapterHost } from '../../src/entry/node-adapter-host.ts';
import { Client, RequestFailed, type Message } from './client.ts';
import { guest } from './story.ts';

const RUNS = 1500;
/** One value in so many is junk. */
const JUNK = 12;

const junk = fc.oneof(
  fc.constantFrom<unknown>(
    0,
    1,
    2,
    4,
    -1,
    7.5,
    1e9,
    2 ** 31,
    2 ** 53,
    1e300,
    true,
    false,
    '',
    'x',
    [],
    {},
    [1],
    [null],
  ),
  fc.constantFrom<unknown>('0xffffffffffffffff', '99999999999999999999', '$rax', 'shared_list', 'AAAA', [{}], null),
  fc.jsonValue({ maxDepth: 2 }),
);
const expressions = [
  ...['shared_list', 'shared_list.count', '&shared_list', '*shared_list.head', '$rax', '$rip,x', '1 + 2', 'cpus[1]'],
  ...['(char)3', 'nothing', '1 +', 'node->key', '$cr0 = 5', '((((1))))', 'shared_list.head->next->next', "'a'"],
];

/** What the session gave out last. */
interface Live {
  threads: number[];
  frames: number[];
  references: number[];
  names: string[];
  addresses: string[];
  dataIds: string[];
  sources: object[];
}
type Pool = (live: Live) => readonly unknown[];
const of =
  (...values: readonly unknown[]): Pool =>
  () =>
    values;
const numbers = of(0, 1, 2, 5, 16, 64);
const flags = of(true, false);
const lines = of(1, 30, 52, 79, 83, 9999);
const expression = of(...expressions);
const conditions = of('1', '0', 'shared_list.count > 2', '1 +', '');
const hits = of('2', '>= 3', '% 2', 'x');
const format = of({ hex: true }, {});
const element = (fields: Readonly<Record<string, Pool>>): Pool => {
  return (live) => [0, 1, 2].map((at) => Object.fromEntries(pickEach(fields, live, at)));
};
const pickEach = (fields: Readonly<Record<string, Pool>>, live: Live, at: number): (readonly [string, unknown])[] =>
  Object.entries(fields).map(([name, pool]) => {
    const values = pool(live);
    return [name, values[(at * 7 + name.length) % Math.max(1, values.length)]];
  });
const listOf = (fields: Readonly<Record<string, Pool>>): Pool => {
  const one = element(fields);
  return (live) => [[], one(live), one(live).slice(0, 1)];
};
const threads: Pool = ({ threads: known }) => known;
const frames: Pool = ({ frames: known }) => known;
const references: Pool = ({ references: known }) => known;
const names: Pool = ({ names: known }) => known;
const addresses: Pool = ({ addresses: known }) => known;
const sources: Pool = ({ sources: known }) => known;
const step = { threadId: threads, granularity: of('line', 'instruction', 'statement'), singleThread: flags };

/** Arguments of each request: those that are always there, then those that may be left out. */
const requests: Readonly<Record<string, readonly [Readonly<Record<string, Pool>>, Readonly<Record<string, Pool>>?]>> = {
  threads: [{}],
  setBreakpoints: [
    { source: sources, breakpoints: listOf({ line: lines, condition: conditions, hitCondition: hits }) },
  ],
  setFunctionBreakpoints: [{ breakpoints: listOf({ name: of('list_insert', 'list_*', 'worker.c:79', '*0x102574') }) }],
  setInstructionBreakpoints: [{ breakpoints: listOf({ instructionReference: addresses, offset: of(0, 1, 4) }) }],
  setDataBreakpoints: [{ breakpoints: listOf({ dataId: ({ dataIds }) => dataIds, accessType: of('write', 'read') }) }],
  setExceptionBreakpoints: [
    { filters: of([], ['guestBp'], ['tripleFault']), filterOptions: listOf({ filterId: of('oops', 'x') }) },
  ],
  dataBreakpointInfo: [
    { name: names },
    { variablesReference: references, bytes: numbers, asAddress: flags, frameId: frames },
  ],
  breakpointLocations: [{ source: sources, line: lines }, { endLine: lines }],
  exceptionInfo: [{ threadId: threads }],
  stackTrace: [
    { threadId: threads },
    { startFrame: numbers, levels: numbers, format: of({ parameters: true, line: true }, {}) },
  ],
  scopes: [{ frameId: frames }],
  variables: [
    { variablesReference: references },
    { start: numbers, count: numbers, filter: of('named', 'indexed'), format },
  ],
  setVariable: [
    { variablesReference: references, name: names, value: of('1', '-1', '1 +', '0x1ffffffffff') },
    { format },
  ],
  setExpression: [
    { expression, value: of('1', '$rax') },
    { frameId: frames, format },
  ],
  evaluate: [{ expression }, { frameId: frames, context: of('repl', 'watch', 'hover'), format }],
  completions: [{ text: of('list_v', '$r', 'shared_list.', 'node->'), column: of(1, 3, 7) }, { frameId: frames }],
  source: [{ source: sources }, { sourceReference: numbers }],
  loadedSources: [{}],
  modules: [{}],
  readMemory: [{ memoryReference: addresses, count: numbers }, { offset: numbers }],
  writeMemory: [
    { memoryReference: addresses, data: of('AAAA', '!', '') },
    { offset: numbers, allowPartial: flags },
  ],
  disassemble: [
    { memoryReference: addresses, instructionCount: numbers },
    { offset: numbers, instructionOffset: of(-20, -1, 0, 3), resolveSymbols: flags },
  ],
  'trapline/machine': [{}],
  'trapline/debugRegisters': [{}],
  'trapline/ledger': [{ from: numbers, count: numbers }],
  'trapline/place': [{ address: addresses }],
  'trapline/serialInput': [{ data: of('AAAA', '!') }],
  launch: [{ kernel: of('/nowhere') }],
  configurationDone: [{}],
  cancel: [{ requestId: numbers }],
  initialize: [{ adapterID: of('trapline'), clientID: of('vscode') }],
  continue: [{ threadId: threads }, { singleThread: flags }],
  next: [step],
  stepIn: [step],
  stepOut: [step],
  pause: [{ threadId: threads }],
};
const RESUMES = new Set(['continue', 'next', 'stepIn', 'stepOut']);

/** One session after the other, as guests come to their end. */
class Sessions {
  readonly tally = { asked: 0, handled: 0 };
  /** Requests whose handler was called. */
  readonly reached = new Set<string>();
  live: Live = { threads: [], frames: [], references: [], names: [], addresses: [], dataIds: [], sources: [] };
  private client: Client | undefined;
  private dispatcher: Dispatcher | undefined;
  private host = createNodeAdapterHost();

  async request(command: string, argument: unknown): Promise<void> {
    const client = this.client ?? (await this.open());
    client.forgetEvents();
    const over = new Promise<void>((resolve) => {
      client.onMessage = (_direction, { event }) => {
        if (event === 'stopped' || event === 'terminated') resolve();
      };
    });
    const before = { ...(this.dispatcher?.tally ?? this.tally) };
    const body = await client.request<unknown>(command, argument).catch((error: unknown) => {
      assert.ok(error instanceof RequestFailed);
      const given = JSON.stringify(argument);
      assert.ok(!error.message.startsWith('Internal error'), `${command} ${given}: ${error.message}`);
      return undefined;
    });
    const after = this.dispatcher?.tally ?? before;
    this.tally.asked += after.asked - before.asked;
    this.tally.handled += after.handled - before.handled;
    if (after.handled > before.handled) this.reached.add(command);
    if (RESUMES.has(command)) await this.settle(client, over);
    if (typeof body === 'object' && body !== null) this.learn(body);
  }

  private async open(): Promise<Client> {
    const client = new Client((receive) => {
      const adapter = createAdapter(this.host, (message) => receive(message as unknown as Message));
      assert.ok(adapter.server instanceof Dispatcher);
      this.dispatcher = adapter.server;
      return { send: (message) => adapter.receive(message), close: () => adapter.close() };
    });
    this.client = client;
    await client.launch(
      { kernel: path.join(guest, 'smp.elf'), machine: { cpus: 2, memory: '16M' } },
      async () => void (await client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'list_insert' }] })),
    );
    const { threadId } = await client.stopped();
    await this.look(client, threadId ?? 1);
    return client;
  }

  /** Until the guest stands still, or is at its end. */
  private async settle(client: Client, over: Promise<void>): Promise<void> {
    const state = (): Promise<{ running: boolean; ended: boolean }> => client.request('trapline/machine');
    if ((await state()).running) {
      // Its stop may have come meanwhile; then pausing changes nothing. Its end may have come; then that is refused.
      await client.request('pause', { threadId: 1 }).catch(() => undefined);
      await over;
    }
    client.forgetEvents();
    if ((await state()).ended) await this.close();
    else await this.look(client, 1);
  }

  /** Fresh numbers for the pools. */
  private async look(client: Client, threadId: number): Promise<void> {
    const { stackFrames } = await client.request<P.StackTraceResponse['body']>('stackTrace', { threadId });
    const { live } = this;
    live.threads = [1, 2];
    live.frames = stackFrames.map(({ id }) => id);
    live.references = [];
    live.names = ['shared_list', '0x1000'];
    live.addresses = ['0x100000', ...stackFrames.map((frame) => frame.instructionPointerReference ?? '0x0')];
    live.sources = stackFrames.flatMap(({ source }) => (source === undefined ? [] : [source]));
    live.dataIds = [JSON.stringify({ space: 'linear', address: '0x189040', bytes: 4, label: 'x' })];
    const { scopes } = await client.request<P.ScopesResponse['body']>('scopes', { frameId: live.frames[0] });
    for (const { variablesReference } of scopes) {
      const answer = await client.request<P.VariablesResponse['body']>('variables', { variablesReference, count: 20 });
      this.learn(answer);
      live.references.push(variablesReference);
    }
  }
  private learn(body: object): void {
    const { references: known, names: called } = this.live;
    if (!('variables' in body) || !Array.isArray(body.variables)) return;
    for (const { name, variablesReference } of body.variables as P.Variable[]) {
      if (called.length < 200) called.push(name);
      if (variablesReference > 0 && known.length < 200) known.push(variablesReference);
    }
  }
  async close(): Promise<void> {
    const { client } = this;
    this.client = undefined;
    if (client === undefined) return;
    await client.close();
    this.host.dispose();
    this.host = createNodeAdapterHost();
  }
}

it('answers anything, and lets most of it through to the handlers', async (t) => {
  const sessions = new Sessions();
  const seed = Date.now() | 0;
  t.diagnostic(`seed ${seed}`);
  await fc.assert(
    fc.asyncProperty(fc.gen(), async (g) => {
      const command = g(fc.constantFrom, ...Object.keys(requests));
      const [required, optional = {}] = requests[command] ?? [{}];
      const wanted = Object.entries(optional).filter(() => g(fc.boolean));
      const fields = [...Object.entries(required), ...wanted].map(([name, pool]) => {
        const values = pool(sessions.live);
        const isJunk = values.length === 0 || g(fc.nat, JUNK) === 0;
        return [name, isJunk ? g(() => junk) : g(fc.constantFrom, ...values)] as const;
      });
      await sessions.request(command, Object.fromEntries(fields));
    }),
    { numRuns: RUNS, seed, randomType: 'xoroshiro128plus', endOnFailure: true, includeErrorInReport: true },
  );
  await sessions.close();
  const { asked, handled } = sessions.tally;
  const share = handled / asked;
  t.diagnostic(`${handled} of ${asked} requests with arguments reached their handler (${Math.round(share * 100)} %)`);
  assert.ok(share >= 0.6, `only ${Math.round(share * 100)} % of the requests with arguments reached their handler`);
  for (const command of Object.keys(requests)) assert.ok(sessions.reached.has(command), `${command} was never handled`);
});
