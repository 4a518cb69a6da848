/** Each declared capability is driven: none is claimed that does nothing, none works that is not claimed. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { DebugProtocol as P } from '@vscode/debugprotocol';
import { capabilities } from '../../src/dap/capabilities.ts';
import { createNodeAdapterHost } from '../../src/entry/node-adapter-host.ts';
import { Client, inProcess } from './client.ts';
import { guest } from './story.ts';

const worker = { path: path.join(guest, 'worker.c') };

/** A guest that stands in list_insert. */
class Stopped {
  readonly client = new Client(inProcess(createNodeAdapterHost()));
  threadId = 0;
  frameId = 0;
  pc = '';

  async open(): Promise<void> {
    const { client } = this;
    await client.launch({ kernel: path.join(guest, 'smp.elf'), machine: { cpus: 4, memory: '32M' } }, async () => {
      await this.ask('setFunctionBreakpoints', { breakpoints: [{ name: 'list_insert' }] });
    });
    await this.arrived();
  }
  async arrived(): Promise<P.StoppedEvent['body']> {
    const stop = await this.client.stopped();
    this.threadId = stop.threadId ?? 0;
    const { stackFrames } = await this.ask<P.StackTraceResponse['body']>('stackTrace', { threadId: this.threadId });
    this.frameId = stackFrames[0]?.id ?? 0;
    this.pc = stackFrames[0]?.instructionPointerReference ?? '';
    return stop;
  }
  ask<Body = unknown>(command: string, argument: object = {}): Promise<Body> {
    return this.client.request<Body>(command, argument);
  }
  async go(command = 'continue', more: object = {}): Promise<P.StoppedEvent['body']> {
    this.client.forgetEvents();
    await this.ask(command, { threadId: this.threadId, ...more });
    return this.arrived();
  }
  async value(expression: string, more: object = {}): Promise<string> {
    const asked = { expression, frameId: this.frameId, ...more };
    return (await this.ask<P.EvaluateResponse['body']>('evaluate', asked)).result;
  }
  async set(command: string, breakpoints: readonly object[], more: object = {}): Promise<readonly P.Breakpoint[]> {
    return (await this.ask<{ breakpoints: P.Breakpoint[] }>(command, { ...more, breakpoints })).breakpoints;
  }
}

type Proof = (session: Stopped) => Promise<void>;
const proofs: Readonly<Record<keyof typeof capabilities, Proof>> = {
  // The session would not stand where it does without these two.
  supportsConfigurationDoneRequest: async ({ client }) => {
    assert.ok(client.messages.some(({ command, success }) => command === 'configurationDone' && success === true));
  },
  supportsFunctionBreakpoints: async (session) => {
    const { stackFrames } = await session.ask<P.StackTraceResponse['body']>('stackTrace', {
      threadId: session.threadId,
    });
    assert.equal(stackFrames[0]?.name, 'list_insert');
  },
  supportsConditionalBreakpoints: async (session) => {
    await session.set('setFunctionBreakpoints', [{ name: 'list_insert', condition: 'list->count == 3' }]);
    await session.go();
    assert.equal(await session.value('list->count'), '3');
  },
  supportsHitConditionalBreakpoints: async (session) => {
    await session.set('setFunctionBreakpoints', [{ name: 'list_insert', condition: '1', hitCondition: '3' }]);
    const stop = await session.go();
    assert.equal(stop.reason, 'function breakpoint');
    await session.set('setFunctionBreakpoints', [{ name: 'list_insert' }]);
  },
  supportsLogPoints: async (session) => {
    await session.set('setBreakpoints', [{ line: 79, logMessage: 'count is {shared_list.count}' }], { source: worker });
    await session.go();
    await session.go();
    const { output } = await session.client.event<P.OutputEvent['body']>('output', (body) =>
      body.output.includes('count'),
    );
    assert.match(output, /count is \d+/);
    await session.set('setBreakpoints', [], { source: worker });
  },
  supportsEvaluateForHovers: async (session) => assert.match(await session.value('list', { context: 'hover' }), /^0x/),
  exceptionBreakpointFilters: async (session) => {
    const filters = (capabilities.exceptionBreakpointFilters ?? []).map(({ filter }) => filter);
    const { breakpoints } = await session.ask<{ breakpoints: P.Breakpoint[] }>('setExceptionBreakpoints', { filters });
    assert.equal(breakpoints.length, filters.length);
    await session.ask('setExceptionBreakpoints', { filters: [] });
  },
  supportsExceptionFilterOptions: async (session) => {
    const filterOptions = [{ filterId: 'guestBp' }];
    await session.ask('setExceptionBreakpoints', { filters: [], filterOptions });
    await session.set('setFunctionBreakpoints', []);
    assert.equal((await session.go()).reason, 'exception');
  },
  // Behind the stop of the filter above.
  supportsExceptionInfoRequest: async (session) => {
    const info = await session.ask<P.ExceptionInfoResponse['body']>('exceptionInfo', { threadId: session.threadId });
    assert.match(info.exceptionId, /#BP/);
    await session.ask('setExceptionBreakpoints', { filters: [] });
  },
  supportsSetVariable: async (session) => {
    const { scopes } = await session.ask<P.ScopesResponse['body']>('scopes', { frameId: session.frameId });
    const general = scopes.find(({ name }) => name === 'General registers');
    const given = { variablesReference: general?.variablesReference, name: 'r15', value: '77', format: { hex: false } };
    await session.ask('setVariable', given);
    assert.equal(await session.value('$r15,d'), '77');
  },
  supportsSetExpression: async (session) => {
    const { value } = await session.ask<P.SetExpressionResponse['body']>('setExpression', {
      expression: '$r14',
      value: '5',
      frameId: session.frameId,
    });
    assert.match(value, /5/);
  },
  supportsCompletionsRequest: async (session) => {
    const { targets } = await session.ask<P.CompletionsResponse['body']>('completions', {
      text: 'list_ins',
      column: 9,
    });
    assert.ok(targets.some(({ label }) => label === 'list_insert'));
  },
  completionTriggerCharacters: async (session) => {
    for (const [text, label] of [
      ['shared_list.', 'count'],
      ['shared_list.head->', 'traits'],
      ['$', '$rax'],
    ] as const) {
      const asked = { text, column: text.length + 1, frameId: session.frameId };
      const { targets } = await session.ask<P.CompletionsResponse['body']>('completions', asked);
      assert.ok(
        targets.some((target) => target.label === label),
        `${label} behind ${text}`,
      );
      assert.ok((capabilities.completionTriggerCharacters ?? []).includes(text.slice(-1)));
    }
  },
  supportsDataBreakpoints: async (session) => {
    const info = await session.ask<P.DataBreakpointInfoResponse['body']>('dataBreakpointInfo', {
      name: 'shared_list.count',
    });
    const [watch] = await session.set('setDataBreakpoints', [{ dataId: info.dataId, accessType: 'write' }]);
    assert.equal(watch?.verified, true);
    assert.equal((await session.go()).reason, 'data breakpoint');
    await session.set('setDataBreakpoints', []);
  },
  supportsDataBreakpointBytes: async (session) => {
    const asked = { name: '0x189040', bytes: 16, asAddress: true };
    const info = await session.ask<P.DataBreakpointInfoResponse['body']>('dataBreakpointInfo', asked);
    assert.match(info.description, /16 bytes/);
  },
  supportsInstructionBreakpoints: async (session) => {
    const { instructions } = await session.ask<NonNullable<P.DisassembleResponse['body']>>('disassemble', {
      memoryReference: session.pc,
      instructionCount: 2,
    });
    const next = instructions[1]?.address;
    await session.set('setInstructionBreakpoints', [{ instructionReference: next }]);
    await session.go('next', { granularity: 'instruction' });
    await session.set('setInstructionBreakpoints', []);
    assert.equal(session.pc, next);
  },
  supportsBreakpointLocationsRequest: async (session) => {
    const asked = { source: worker, line: 79 };
    const { breakpoints } = await session.ask<P.BreakpointLocationsResponse['body']>('breakpointLocations', asked);
    assert.ok(breakpoints.length > 0);
  },
  supportsReadMemoryRequest: async (session) => {
    const asked = { memoryReference: session.pc, count: 4 };
    assert.ok(((await session.ask<P.ReadMemoryResponse['body']>('readMemory', asked))?.data ?? '').length > 0);
  },
  supportsWriteMemoryRequest: async (session) => {
    const memoryReference = await session.value('&shared_list.next_sample');
    const at = memoryReference.split(' ')[0];
    await session.ask('writeMemory', { memoryReference: at, data: 'BwAAAA==' });
    assert.equal(await session.value('*(int *)&shared_list.next_sample'), '7');
  },
  supportsDisassembleRequest: async (session) => {
    const asked = { memoryReference: session.pc, instructionCount: 5, instructionOffset: -2 };
    const body = await session.ask<NonNullable<P.DisassembleResponse['body']>>('disassemble', asked);
    assert.equal(body.instructions.length, 5);
  },
  supportsSteppingGranularity: async (session) => {
    const from = BigInt(session.pc);
    await session.go('stepIn', { granularity: 'instruction' });
    assert.notEqual(BigInt(session.pc), from);
  },
  supportsSingleThreadExecutionRequests: async (session) => {
    await session.go('next', { granularity: 'instruction', singleThread: true });
    const { allThreadsContinued } = await session.client
      .event<P.ContinuedEvent['body']>('continued')
      .catch(() => ({ allThreadsContinued: true }));
    assert.equal(allThreadsContinued, false);
  },
  supportsLoadedSourcesRequest: async (session) => {
    const { sources } = await session.ask<P.LoadedSourcesResponse['body']>('loadedSources');
    assert.ok(sources.some((source) => source.path === worker.path));
  },
  supportsModulesRequest: async (session) => {
    const { modules } = await session.ask<P.ModulesResponse['body']>('modules');
    assert.equal(modules[0]?.name, 'smp.elf');
  },
  supportsValueFormattingOptions: async (session) =>
    assert.equal(await session.value('255 + 1', { format: { hex: true } }), '0x100'),
  // cancel.test.ts ends each request that takes long.
  supportsCancelRequest: async (session) => void (await session.ask('cancel', { requestId: 1 })),
  // Frames come all at once: that is what `false` says.
  supportsDelayedStackTraceLoading: async (session) => {
    const answer = await session.ask<P.StackTraceResponse['body']>('stackTrace', { threadId: session.threadId });
    assert.equal(answer.stackFrames.length, answer.totalFrames);
  },
  supportsRestartRequest: async (session) => {
    session.client.forgetEvents();
    await session.set('setFunctionBreakpoints', [{ name: 'list_insert' }]);
    await session.ask('restart', {});
    await session.arrived();
  },
  supportsTerminateRequest: async (session) => {
    await session.ask('terminate');
    await session.client.event('terminated');
  },
} as Readonly<Record<string, Proof>>;

describe('a capability that is declared', () => {
  const session = new Stopped();
  before(() => session.open());
  after(() => session.client.close());

  for (const [name, proof] of Object.entries(proofs)) it(`${name} works`, () => proof(session));

  it('has a proof above, each of them', () => {
    assert.deepEqual(Object.keys(capabilities).sort(), Object.keys(proofs).sort());
  });
});
