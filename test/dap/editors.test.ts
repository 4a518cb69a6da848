/**
 * Sessions as other editors lead them, from launch to the end, with `trapline dap` in a process of its own. The editors are
 * not here; what tells them apart for an adapter is: how they introduce themselves, and which thread they show after a stop.
 */
import assert from 'node:assert/strict';
import path from 'node:path';
import process from 'node:process';
import { describe, it } from 'node:test';
import type { DebugProtocol as P } from '@vscode/debugprotocol';
import { childProcess, Client } from './client.ts';
import { guest, repository } from './story.ts';

type Stop = P.StoppedEvent['body'];

interface Editor {
  readonly name: string;
  readonly introduction: object;
  /** The thread that is shown, of the stopped events of one stop. */
  readonly shows: (stops: readonly Stop[]) => number | undefined;
}
const first = (stops: readonly Stop[]): number | undefined => stops[0]?.threadId;
const last = (stops: readonly Stop[]): number | undefined => stops.at(-1)?.threadId;
const lastWithFocus = (stops: readonly Stop[]): number | undefined =>
  stops.filter(({ preserveFocusHint }) => preserveFocusHint !== true).at(-1)?.threadId;
const countsFromOne = { linesStartAt1: true, columnsStartAt1: true, pathFormat: 'path' };

const editors: readonly Editor[] = [
  { name: 'nvim-dap', introduction: { clientID: 'neovim', clientName: 'neovim', ...countsFromOne, supportsVariableType: true, supportsProgressReporting: true }, shows: first },
  { name: 'dape', introduction: { clientID: 'dape', ...countsFromOne, supportsVariableType: true, supportsMemoryReferences: true }, shows: last },
  { name: 'vimspector', introduction: { clientID: 'vimspector', clientName: 'vimspector', ...countsFromOne, locale: 'en_GB', supportsVariableType: true }, shows: last },
  { name: 'Helix', introduction: { clientID: 'hx', clientName: 'helix', ...countsFromOne, locale: 'en-us', supportsVariablePaging: false }, shows: first },
  { name: 'Zed', introduction: { clientID: 'zed', clientName: 'Zed', ...countsFromOne, supportsMemoryReferences: true, supportsANSIStyling: true }, shows: lastWithFocus },
]; // prettier-ignore

/** What an editor knows of a stop when everything that belongs to it has come. */
async function shownThread(client: Client, editor: Editor, seen: number): Promise<number> {
  await client.event<Stop>('stopped');
  const { threads } = await client.request<P.ThreadsResponse['body']>('threads');
  const stops = client.messages.slice(seen).filter(({ event }) => event === 'stopped');
  const id = editor.shows(stops.map(({ body }) => body as Stop));
  assert.ok(threads.some((thread) => thread.id === id), `thread ${id}`); // prettier-ignore
  client.forgetEvents();
  return id ?? assert.fail();
}

async function topFrame(client: Client, threadId: number): Promise<P.StackFrame> {
  const stack = await client.request<P.StackTraceResponse['body']>('stackTrace', {
    threadId,
    startFrame: 0,
    levels: 20,
  });
  return stack.stackFrames[0] ?? assert.fail('no frame');
}

async function lead(client: Client, editor: Editor): Promise<void> {
  await client.request('initialize', { adapterID: 'trapline', ...editor.introduction });
  const kernel = path.join(guest, 'smp.elf');
  const launch = {
    name: 'Boot kernel',
    type: 'trapline',
    request: 'launch',
    kernel,
    machine: { cpus: 4, memory: '32M' },
  };
  await client.request('launch', { ...launch, token: 'of no use here' });
  await client.event('initialized');
  const source = { name: 'worker.c', path: path.join(guest, 'worker.c') };
  const set = await client.request<P.SetBreakpointsResponse['body']>('setBreakpoints', {
    source,
    breakpoints: [{ line: 79 }],
  });
  assert.equal(set.breakpoints[0]?.verified, true);
  await client.request('setExceptionBreakpoints', { filters: [] });
  let seen = client.messages.length;
  await client.request('configurationDone');

  // The editor shows the vCPU that came to the breakpoint, at its line, where its names are in scope.
  const threadId = await shownThread(client, editor, seen);
  const frame = await topFrame(client, threadId);
  assert.deepEqual([frame.line, frame.source?.path], [79, source.path]);
  const { scopes } = await client.request<P.ScopesResponse['body']>('scopes', { frameId: frame.id });
  const [locals] = scopes;
  assert.ok(locals !== undefined && locals.variablesReference > 0);
  const { variables } = await client.request<P.VariablesResponse['body']>('variables', {
    variablesReference: locals.variablesReference,
  });
  assert.ok(variables.some(({ name }) => name === 'worker'), JSON.stringify(variables.map(({ name }) => name))); // prettier-ignore
  const evaluate = (expression: string) =>
    client.request<P.EvaluateResponse['body']>('evaluate', { expression, frameId: frame.id, context: 'repl' });
  assert.equal(Number((await evaluate('worker->cpu')).result), threadId - 1);

  // A step stays on that vCPU.
  await client.request('setBreakpoints', { source, breakpoints: [] });
  seen = client.messages.length;
  await client.request('next', { threadId });
  assert.equal(await shownThread(client, editor, seen), threadId);
  assert.notEqual((await topFrame(client, threadId)).line, 79);

  // A data breakpoint shows the vCPU that wrote.
  const info = await client.request<P.DataBreakpointInfoResponse['body']>('dataBreakpointInfo', {
    name: 'shared_list.count',
  });
  await client.request('setDataBreakpoints', { breakpoints: [{ dataId: info.dataId, accessType: 'write' }] });
  seen = client.messages.length;
  await client.request('continue', { threadId });
  const writer = await shownThread(client, editor, seen);
  const reporter = client.messages.slice(seen).find(({ event }) => event === 'stopped');
  assert.equal((reporter?.['body'] as Stop | undefined)?.reason, 'data breakpoint');
  assert.equal((reporter?.['body'] as Stop | undefined)?.threadId, writer);

  await client.request('terminate');
  await client.event('terminated');
  await client.request('disconnect', { terminateDebuggee: true });
}

describe('a whole session as led by', () => {
  for (const editor of editors) {
    it(editor.name, { timeout: 120_000 }, async () => {
      const cli = path.join(repository, 'src/entry/cli.ts');
      const client = new Client(childProcess(process.execPath, ['--import', 'tsx', cli, 'dap']));
      try {
        await lead(client, editor);
      } finally {
        await client.close();
      }
    });
  }
});
