/** Clients that are not VS Code, count from 0, write URIs, or run without debugging. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { DebugProtocol as P } from '@vscode/debugprotocol';
import { createNodeAdapterHost } from '../../src/entry/node-adapter-host.ts';
import { Client, inProcess, RequestFailed } from './client.ts';
import { guest } from './story.ts';

const kernel = path.join(guest, 'smp.elf');
const worker = path.join(guest, 'worker.c');

/** A session of a client that says this of itself. */
async function session<Result>(
  introduction: object,
  launch: object,
  work: (client: Client) => Promise<Result>,
): Promise<Result> {
  const host = createNodeAdapterHost();
  const client = new Client(inProcess(host));
  try {
    await client.request('initialize', { adapterID: 'trapline', ...introduction });
    await client.request('launch', { kernel, machine: { cpus: 4, memory: '32M' }, ...launch });
    await client.event('initialized');
    return await work(client);
  } finally {
    await client.close();
    host.dispose();
  }
}
async function stopAtLine(client: Client, source: object, line: number): Promise<P.Breakpoint | undefined> {
  const { breakpoints } = await client.request<P.SetBreakpointsResponse['body']>('setBreakpoints', {
    source,
    breakpoints: [{ line }],
  });
  await client.request('configurationDone');
  return breakpoints[0];
}

describe('one stop', () => {
  for (const [clientID, all] of [
    ['vscode', true],
    ['neovim', false],
    ['vimspector', false],
    [undefined, false],
  ] as const) {
    // The last event's thread is where other clients go: they showed the wrong processor at every stop.
    it(`is ${all ? 'one event for each processor' : 'one event, of the processor that reports,'} to ${clientID ?? 'a client without a name'}`, () =>
      session(clientID === undefined ? {} : { clientID }, {}, async (client) => {
        await stopAtLine(client, { path: worker }, 79);
        const { threadId } = await client.stopped();
        const stops = (): P.StoppedEvent['body'][] =>
          client.messages.filter(({ event }) => event === 'stopped').map(({ body }) => body as P.StoppedEvent['body']);
        // Whatever belongs to the stop is there before the next answer.
        const { stackFrames } = await client.request<P.StackTraceResponse['body']>('stackTrace', { threadId });
        assert.equal(stackFrames[0]?.line, 79);
        assert.equal(stops().length, all ? 4 : 1);
        assert.equal(stops()[0]?.allThreadsStopped, true);
      }));
  }
});

describe('a client that counts from 0 and writes URIs', () => {
  const zero = { clientID: 'zero', linesStartAt1: false, columnsStartAt1: false, pathFormat: 'uri' };
  const uri = pathToFileURL(worker).href;

  it('is understood, and answered in its own way, in every request that has a place', () =>
    session(zero, {}, async (client) => {
      const set = await stopAtLine(client, { path: uri }, 78);
      assert.equal(set?.verified, true);
      assert.equal(set.line, 78);
      assert.equal(set.source?.path, uri);
      const { threadId } = await client.stopped();
      const { stackFrames } = await client.request<P.StackTraceResponse['body']>('stackTrace', { threadId });
      const top = stackFrames[0];
      assert.equal(top?.line, 78);
      assert.equal(top.source?.path, uri);
      const ones = await session({}, {}, async (other) => {
        await stopAtLine(other, { path: worker }, 79);
        const stop = await other.stopped();
        return other.request<P.StackTraceResponse['body']>('stackTrace', { threadId: stop.threadId });
      });
      assert.equal(top.column, (ones.stackFrames[0]?.column ?? 0) - 1);
      const locations = await client.request<P.BreakpointLocationsResponse['body']>('breakpointLocations', {
        source: { path: uri },
        line: 78,
      });
      assert.deepEqual([...new Set(locations.breakpoints.map(({ line }) => line))], [78]);
      const { instructions } = await client.request<NonNullable<P.DisassembleResponse['body']>>('disassemble', {
        memoryReference: top.instructionPointerReference,
        instructionCount: 1,
      });
      assert.equal(instructions[0]?.line, 78);
      assert.equal(instructions[0].location?.path, uri);
      const { sources } = await client.request<P.LoadedSourcesResponse['body']>('loadedSources');
      assert.ok(sources.some((source) => source.path === uri));
      const { targets } = await client.request<P.CompletionsResponse['body']>('completions', {
        text: 'x + list_v',
        column: 10,
        frameId: top.id,
      });
      assert.deepEqual(
        targets.map(({ label, start, length }) => ({ label, start, length })),
        [{ label: 'list_verify', start: 4, length: 6 }],
      );
      const named = await client.request<P.StackTraceResponse['body']>('stackTrace', {
        threadId,
        levels: 1,
        format: { line: true },
      });
      assert.match(named.stackFrames[0]?.name ?? '', /:78$/);
    }));

  it('may write what is no file', () =>
    session(zero, {}, async (client) => {
      const set = await stopAtLine(client, { path: 'untitled:worker.c' }, 78);
      assert.equal(set?.verified, false);
      assert.match(set.message ?? '', /no file of this computer/);
    }));

  it('is refused lines before its first', () =>
    session({}, {}, async (client) => {
      for (const line of [0, -3, 79.5, 1e300]) {
        const asked = client.request('setBreakpoints', { source: { path: worker }, breakpoints: [{ line }] });
        await assert.rejects(asked, (error) => error instanceof RequestFailed && error.id === 1001);
      }
    }));
});

it('noDebug: nothing that a client sets stops the guest', () =>
  session({ clientID: 'vscode' }, { noDebug: true }, async (client) => {
    const unverified = async (command: string, given: object): Promise<void> => {
      const { breakpoints } = await client.request<{ breakpoints: P.Breakpoint[] }>(command, given);
      assert.ok(breakpoints.length > 0);
      for (const { verified, message } of breakpoints) {
        assert.equal(verified, false, command);
        assert.match(message ?? '', /noDebug/);
      }
    };
    await unverified('setBreakpoints', { source: { path: worker }, breakpoints: [{ line: 79 }] });
    await unverified('setFunctionBreakpoints', { breakpoints: [{ name: 'run_cpu' }] });
    await unverified('setInstructionBreakpoints', { breakpoints: [{ instructionReference: '0x102a29' }] });
    const dataId = JSON.stringify({ space: 'linear', address: '0x189088', bytes: 8, label: 'x' });
    await unverified('setDataBreakpoints', { breakpoints: [{ dataId }] });
    await unverified('setExceptionBreakpoints', { filters: ['guestBp', 'guestDb', 'tripleFault'] });
    await client.request('configurationDone');
    await client.event('terminated');
    assert.ok(!client.messages.some(({ event }) => event === 'stopped'));
  }));

describe('formats', () => {
  it('of frames and values are those that are asked for', () =>
    session({}, {}, async (client) => {
      await client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'list_insert' }] });
      await client.request('configurationDone');
      const { threadId } = await client.stopped();
      const name = async (format: object): Promise<string> => {
        const answer = await client.request<P.StackTraceResponse['body']>('stackTrace', {
          threadId,
          levels: 1,
          format,
        });
        return answer.stackFrames[0]?.name ?? '';
      };
      assert.equal(await name({}), 'list_insert');
      assert.equal(await name({ module: true }), 'smp.elf!list_insert');
      assert.match(await name({ parameters: true, parameterNames: true }), /^list_insert\(\w+(, \w+)*\)$/);
      assert.match(await name({ parameterTypes: true }), /^list_insert\(struct list \*.*\)$/);
      assert.match(await name({ parameterNames: true, parameterValues: true, hex: true }), /\(\w+ = 0x[0-9a-f]+/);
      const shown = async (format: object | undefined): Promise<string> =>
        (await client.request<P.EvaluateResponse['body']>('evaluate', { expression: '255 + 1', format })).result;
      assert.equal(await shown(undefined), '256');
      assert.equal(await shown({ hex: true }), '0x100');
    }));
});
