import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, it } from 'node:test';
import type { DebugProtocol as P } from '@vscode/debugprotocol';
import type { LedgerBody } from '../../src/dap/custom.ts';
import { guest, Story } from './story.ts';

const kernel = path.join(guest, 'smp.elf');
const source = (name: string): P.Source => ({ path: path.join(guest, name) });
const lineOf = (file: string, text: string): number =>
  readFileSync(path.join(guest, file), 'utf8')
    .split('\n')
    .findIndex((line) => line.includes(text)) + 1;
const insertion = lineOf('worker.c', 'list_insert(list, node);');
const machine = { cpus: 4, memory: '64M' };

async function top(story: Story, threadId: number): Promise<P.StackFrame> {
  const { stackFrames } = await story.request<P.StackTraceResponse['body']>('stackTrace', {
    threadId,
    startFrame: 0,
    levels: 1,
  });
  const frame = stackFrames[0];
  assert.ok(frame);
  return frame;
}
/** Waits for a whole stop, so that what follows is written behind all of its events. */
async function stop(story: Story, vcpus = 4): Promise<number> {
  const focus = await story.client.stopped();
  for (let i = 1; i < vcpus; i++) await story.client.event('stopped');
  return focus.threadId ?? 0;
}
async function launch(
  story: Story,
  more: Readonly<Record<string, unknown>>,
  configure?: () => Promise<void>,
): Promise<void> {
  await story.quietly(() => story.client.launch({ kernel, machine, slotPolicy: 'hardware', ...more }, configure));
}

describe('sessions with the sample guest', () => {
  it('tutorial: who breaks the list?', async () => {
    const story = new Story(
      'Who breaks the list? The tutorial of guests/smp/README.md, from power-on to the exit status',
    );
    story.tell('The client introduces itself, and the machine is powered on');
    await story.request('initialize', {
      clientID: 'vscode',
      adapterID: 'trapline',
      linesStartAt1: true,
      columnsStartAt1: true,
    });
    await story.request('launch', { kernel, machine, slotPolicy: 'hardware', stopOnEntry: true });
    await story.client.event('initialized');
    await story.request('setBreakpoints', { source: source('worker.c'), breakpoints: [{ line: insertion }] });
    await story.request('setExceptionBreakpoints', { filters: [], filterOptions: [] });
    await story.request('configurationDone');
    await stop(story);
    story.tell('The first stop is the entry of the kernel; the other processors have not been started');
    await story.request('threads');
    await story.request('stackTrace', { threadId: 1, startFrame: 0, levels: 20 });
    story.tell('Continue: one of four processors comes to the breakpoint, each has its own reason');
    await story.request('continue', { threadId: 1 });
    const focus = await stop(story);
    await story.request('threads');
    for (const threadId of [1, 2, 3, 4]) await story.request('stackTrace', { threadId, startFrame: 0, levels: 20 });
    story.tell('Variables of the frame');
    const frame = await top(story, focus);
    const { scopes } = await story.request<P.ScopesResponse['body']>('scopes', { frameId: frame.id });
    const { variables } = await story.request<P.VariablesResponse['body']>('variables', {
      variablesReference: scopes[0]?.variablesReference,
    });
    const list = variables.find(({ name }) => name === 'list');
    await story.request('variables', { variablesReference: list?.variablesReference });
    story.tell('Break on Value Change of list->magic, and the source breakpoint away');
    const info = await story.request<P.DataBreakpointInfoResponse['body']>('dataBreakpointInfo', {
      name: 'magic',
      variablesReference: list?.variablesReference,
    });
    await story.request('setDataBreakpoints', { breakpoints: [{ dataId: info.dataId, accessType: 'write' }] });
    await story.request('setBreakpoints', { source: source('worker.c'), breakpoints: [] });
    story.tell('Continue: the processor that writes it stops, with the old and the new value');
    await story.request('continue', { threadId: focus });
    const writer = await stop(story);
    const culprit = await top(story, writer);
    await story.request('evaluate', { expression: 'shared_list.next_sample', frameId: culprit.id, context: 'watch' });
    await story.request('evaluate', {
      expression: 'sizeof shared_list.samples / sizeof *shared_list.samples',
      frameId: culprit.id,
      context: 'watch',
    });
    story.tell('All four slots, and a fifth that is refused with the reason');
    const ids = [info.dataId];
    for (const member of ['head', 'tail', 'count', 'checksum']) {
      const one = await story.request<P.DataBreakpointInfoResponse['body']>('dataBreakpointInfo', {
        name: `shared_list.${member}`,
        frameId: culprit.id,
      });
      ids.push(one.dataId);
    }
    await story.request('setDataBreakpoints', { breakpoints: ids.map((dataId) => ({ dataId, accessType: 'write' })) });
    await story.request('trapline/debugRegisters');
    story.tell('Remove them and let it end: 85 says that the guest has not noticed anything');
    await story.request('setDataBreakpoints', { breakpoints: [] });
    await story.request('continue', { threadId: writer });
    await story.client.event('terminated');
    const ledger = await story.quietly(() => story.request<LedgerBody>('trapline/ledger', { from: 0, count: 2000 }));
    story.tell('The trap ledger');
    const count = (accept: (row: LedgerBody['rows'][number]) => boolean): number => ledger.rows.filter(accept).length;
    story.note(`${count((row) => row.vector === 3 && row.disposition === 'reinjected')} #BP re-injected`);
    story.note(`${count((row) => row.vector === 1 && row.disposition === 'reinjected')} #DB re-injected`);
    story.note(`${count((row) => row.owner === 'host')} host-owned`);
    await story.end('tutorial');
  });

  it('stepping', async () => {
    const story = new Story(
      'Stepping through list_insert on one of four processors, while the others run as they would have',
    );
    await launch(story, {}, async () => {
      await story.request('setBreakpoints', { source: source('worker.c'), breakpoints: [{ line: insertion }] });
    });
    const focus = await stop(story);
    await story.quietly(() => story.request('setBreakpoints', { source: source('worker.c'), breakpoints: [] }));
    const steps: readonly (readonly [string, string, object?])[] = [
      ['stepIn', 'into list_insert'],
      ['next', 'over the search for the place'],
      ['next', ''],
      ['stepOut', 'out of it: to where the call returns to'],
      ['next', 'lines of insert_one, which the compiler has inlined; the call through a pointer is stepped over'],
      ['next', ''],
      ['stepIn', 'into release_list'],
      ['stepOut', 'and out of it'],
      ['stepIn', 'one instruction', { granularity: 'instruction' }],
      ['next', 'one instruction, a call as one', { granularity: 'instruction' }],
      ['next', 'this processor alone', { singleThread: true }],
    ];
    for (const [command, what, more] of steps) {
      if (what !== '') story.tell(what);
      await story.request(command, { threadId: focus, ...more });
      await stop(story);
      const frame = await story.quietly(() => top(story, focus));
      story.note(`now in ${frame.name}, ${frame.source?.name}:${frame.line}, at ${frame.instructionPointerReference}`);
    }
    await story.end('stepping');
  });

  it('breakpoints of every kind', async () => {
    const story = new Story(
      'Breakpoints: moved and refused ones, conditions, hit counts, log points, functions, instructions',
    );
    await launch(story, { stopOnEntry: true });
    await stop(story);
    story.tell(
      'A line without code moves to the next one that has some; a line behind the end and an unknown file are refused',
    );
    const comment = lineOf('list.c', '/* Behind which node');
    await story.request('setBreakpoints', {
      source: source('list.c'),
      breakpoints: [{ line: comment }, { line: 9999 }],
    });
    await story.request('setBreakpoints', { source: { path: '/elsewhere/nothing.c' }, breakpoints: [{ line: 1 }] });
    await story.request('breakpointLocations', {
      source: source('worker.c'),
      line: insertion - 4,
      endLine: insertion + 2,
    });
    await story.request('setBreakpoints', { source: source('list.c'), breakpoints: [] });
    story.tell('Conditions and hit counts are decided inside the machine');
    await story.request('setBreakpoints', {
      source: source('worker.c'),
      breakpoints: [
        { line: insertion, condition: 'worker->cpu == 2 && node->traits.priority > 5', hitCondition: '>= 2' },
      ],
    });
    await story.request('continue', { threadId: 1 });
    const focus = await stop(story);
    const frame = await story.quietly(() => top(story, focus));
    await story.request('evaluate', { expression: 'node->traits', frameId: frame.id });
    await story.request('evaluate', { expression: 'worker->counters.inserted', frameId: frame.id });
    story.tell('What cannot be understood is refused where it is set');
    await story.request('setBreakpoints', {
      source: source('worker.c'),
      breakpoints: [
        { line: insertion, condition: 'nobody > 1' },
        { line: insertion + 1, hitCondition: 'often' },
        { line: insertion + 2, logMessage: 'x is {x' },
      ],
    });
    story.tell('Log points speak and do not stop; a function breakpoint does');
    await story.request('setBreakpoints', {
      source: source('worker.c'),
      breakpoints: [{ line: insertion, logMessage: 'cpu {worker->cpu} inserts {node->id,x}', hitCondition: '< 3' }],
    });
    await story.refused('setFunctionBreakpoints', []);
    await story.request('setFunctionBreakpoints', {
      breakpoints: [{ name: 'list_repair' }, { name: 'no_such_function' }, { name: 'list_v*', condition: '0' }],
    });
    await story.request('continue', { threadId: focus });
    await stop(story);
    story.tell('Instruction breakpoints are references and offsets, added up in 64 bits');
    const here = await story.quietly(() => top(story, focus));
    await story.request('setFunctionBreakpoints', { breakpoints: [] });
    await story.request('setBreakpoints', { source: source('worker.c'), breakpoints: [] });
    await story.request('setInstructionBreakpoints', {
      breakpoints: [{ instructionReference: '0x102590', offset: -20 }, { instructionReference: 'nowhere' }],
    });
    void here;
    await story.end('breakpoints');
  });

  it('values', async () => {
    const story = new Story('Values: watches, hovers, completions, changes of variables, registers and memory');
    await launch(story, {}, async () => {
      await story.request('setBreakpoints', {
        source: source('worker.c'),
        breakpoints: [{ line: insertion, hitCondition: '20' }],
      });
    });
    const focus = await stop(story);
    const frame = await story.quietly(() => top(story, focus));
    story.tell('Expressions of C');
    for (const expression of [
      'node->id',
      'node->id,x',
      'list->head->next->owner == 2 ? list->count : 0',
      '*list->head',
      'list->samples[1]',
      '&list->samples[1]',
      '(char)(list->magic >> 8)',
      'sizeof(struct node) * 2',
      '*list->head@2',
      'worker->after_insertion',
      'list_insert',
      'LIST_BAD_ORDER',
      '(enum node_state)node->traits.state',
      '$rip',
      '$al',
      '$rflags',
      '*(unsigned long *)$rsp',
    ]) {
      await story.request('evaluate', { expression, frameId: frame.id, context: 'watch' });
    }
    story.tell('What is wrong is said in one sentence');
    for (const expression of [
      'node->',
      'nothing',
      'node->nothing',
      '*(int *)0x10',
      'list_insert(list, node)',
      'list->count = 3',
      '1 / 0',
    ]) {
      await story.refused('evaluate', { expression, frameId: frame.id, context: 'watch' });
    }
    story.tell('Completions');
    for (const text of ['node->tr', 'list->corruption.', '$cr', 'list_v']) {
      await story.request('completions', { text, column: text.length + 1, frameId: frame.id });
    }
    story.tell('Changes');
    const { scopes } = await story.quietly(() =>
      story.request<P.ScopesResponse['body']>('scopes', { frameId: frame.id }),
    );
    const reference = async (scope: number): Promise<number> => {
      const { variables } = await story.quietly(() =>
        story.request<P.VariablesResponse['body']>('variables', {
          variablesReference: scopes[scope]?.variablesReference,
        }),
      );
      return variables.find(({ name }) => name === 'node')?.variablesReference ?? 0;
    };
    const node = await reference(0);
    await story.request('setVariable', { variablesReference: node, name: 'owner', value: '1 + 1' });
    await story.request('setExpression', { expression: 'node->traits.priority', value: '3', frameId: frame.id });
    await story.request('evaluate', { expression: 'node->traits', frameId: frame.id });
    await story.request('setVariable', {
      variablesReference: scopes[2]?.variablesReference,
      name: 'r8',
      value: '0x1234',
    });
    await story.request('evaluate', { expression: '$r8w', frameId: frame.id });
    await story.refused('setExpression', { expression: '*node', value: '3', frameId: frame.id });
    await story.refused('setVariable', { variablesReference: node, name: 'nothing', value: '3' });
    await story.refused('variables', { variablesReference: 9999 });
    await story.request('evaluate', { expression: 'node->owner = 3', frameId: frame.id, context: 'repl' });
    await story.refused('evaluate', { expression: 'node->owner = 4', frameId: frame.id, context: 'watch' });
    story.tell('Memory');
    const magic = await story.request<P.EvaluateResponse['body']>('evaluate', {
      expression: 'list->magic',
      frameId: frame.id,
    });
    await story.request('readMemory', { memoryReference: magic.memoryReference, offset: -4, count: 12 });
    await story.request('writeMemory', { memoryReference: magic.memoryReference, data: 'TElTVA==' });
    await story.request('readMemory', { memoryReference: '0xffffffff81000000', count: 16 });
    await story.refused('writeMemory', { memoryReference: '0xffffffff81000000', data: 'AAAA' });
    await story.refused('readMemory', { memoryReference: 'somewhere', count: 1 });
    story.tell('Registers of every kind');
    for (const scope of [2, 3, 4, 5])
      await story.request('variables', { variablesReference: scopes[scope]?.variablesReference, start: 0, count: 6 });
    story.tell('Data breakpoints from addresses, as VS Code asks for them');
    for (const argument of [
      { name: '0x189088', bytes: 4, asAddress: true },
      { name: '0x189088', bytes: -8, asAddress: true },
      { name: '0xffffffff81a00040', bytes: 0, asAddress: true },
      { name: '4096', bytes: 4, asAddress: true },
    ]) {
      await story.request('dataBreakpointInfo', argument);
    }
    await story.refused('dataBreakpointInfo', { name: 'jiffies', bytes: 4, asAddress: true });
    await story.request('dataBreakpointInfo', { name: '$rax', frameId: frame.id });
    await story.request('dataBreakpointInfo', { name: 'node->traits.priority', frameId: frame.id });
    await story.end('values');
  });

  it('machine code', async () => {
    const story = new Story(
      'Machine code: disassembly that is the same from everywhere, listings, instruction breakpoints',
    );
    await launch(story, {}, async () => {
      await story.request('setFunctionBreakpoints', { breakpoints: [{ name: 'list_insert' }] });
    });
    const focus = await stop(story);
    const frame = await story.quietly(() => top(story, focus));
    const memoryReference = frame.instructionPointerReference;
    story.tell('Exactly as many rows as are asked for, before and behind the pc');
    type Rows = P.DisassembleResponse['body'];
    const rows = await story.request<Rows>('disassemble', {
      memoryReference,
      instructionOffset: -6,
      instructionCount: 14,
    });
    assert.equal(rows?.instructions.length, 14);
    const wide = await story.quietly(() =>
      story.request<Rows>('disassemble', { memoryReference, instructionOffset: -200, instructionCount: 400 }),
    );
    assert.equal(wide?.instructions.length, 400);
    assert.deepEqual(wide?.instructions.slice(194, 208), rows?.instructions, 'the window must not matter');
    await story.request('disassemble', { memoryReference: '0x0', instructionOffset: -2, instructionCount: 3 });
    await story.refused('disassemble', { memoryReference, instructionCount: 1_000_000 });
    story.tell('A breakpoint on an instruction of it');
    const third = rows?.instructions[9]?.address;
    await story.request('setFunctionBreakpoints', { breakpoints: [] });
    await story.request('setInstructionBreakpoints', { breakpoints: [{ instructionReference: third }] });
    await story.request('continue', { threadId: focus });
    await stop(story);
    await story.request('setInstructionBreakpoints', { breakpoints: [] });
    await story.end('machine-code');
  });

  it('a listing where there is no source', async () => {
    const story = new Story('Without debugging information for a place there is a listing of its machine code');
    await launch(story, { stopOnEntry: 'reset' });
    await stop(story);
    story.tell('A processor that has not been started stands at the reset vector');
    const frame = await top(story, 2);
    await story.request('source', { source: frame.source, sourceReference: frame.source?.sourceReference });
    await story.end('listing');
  });

  it("the guest's own traps", async () => {
    const story = new Story("The guest's own #BP and #DB, caught on their way; then the power switch");
    await launch(story, {}, async () => {
      await story.request('setExceptionBreakpoints', {
        filters: [],
        filterOptions: [{ filterId: 'guestBp' }, { filterId: 'none' }],
      });
    });
    const focus = await stop(story);
    await story.request('stackTrace', { threadId: focus, startFrame: 0, levels: 3 });
    await story.request('exceptionInfo', { threadId: focus });
    story.tell('Resuming delivers it; the next one is a #DB');
    await story.request('setExceptionBreakpoints', { filters: ['guestDb'] });
    await story.request('continue', { threadId: focus });
    const second = await stop(story);
    await story.request('exceptionInfo', { threadId: second });
    story.tell('Restart: a new machine with the same breakpoints');
    await story.request('setExceptionBreakpoints', { filters: [] });
    await story.request('setFunctionBreakpoints', { breakpoints: [{ name: 'kernel_main' }] });
    await story.request('restart', {});
    const third = await stop(story);
    await story.request('stackTrace', { threadId: third, startFrame: 0, levels: 1 });
    await story.request('terminate', {});
    await story.client.event('terminated');
    await story.end('traps');
  });

  it('an application processor wakes up', async () => {
    const story = new Story('An application processor on its way from real mode to long mode, in source');
    await launch(story, { machine: { cpus: 2, memory: '64M' } }, async () => {
      await story.request('setFunctionBreakpoints', { breakpoints: [{ name: 'trampoline_start' }] });
    });
    const focus = await stop(story, 2);
    await story.request('threads');
    const frame = await top(story, focus);
    story.tell('16-bit code');
    await story.request('disassemble', { memoryReference: frame.instructionPointerReference, instructionCount: 9 });
    story.tell('Over the far jump into 32-bit code, by lines');
    for (let i = 0; i < 10; i++) {
      await story.quietly(async () => {
        await story.request('next', { threadId: focus });
        await stop(story, 2);
      });
      const now = await story.quietly(() => top(story, focus));
      story.note(`${now.name}, ${now.source?.name}:${now.line}, at ${now.instructionPointerReference}`);
    }
    await story.request('threads');
    await story.end('application-processor');
  });

  it('refusals', async () => {
    const story = new Story('What is refused, and how: the adapter lives on');
    await story.refused('frobnicate', {});
    await story.refused('threads', 7);
    await story.refused('setBreakpoints', { source: 'worker.c' });
    await story.refused('setFunctionBreakpoints', { breakpoints: [{ name: 5 }] });
    await story.refused('continue', { threadId: 1 });
    await story.request('initialize', { adapterID: 'trapline' });
    await story.refused('configurationDone');
    await story.refused('launch', {});
    await story.refused('launch', { kernel, slotPolicies: 'hardware' });
    await story.refused('launch', { kernel, machine: { cpus: 17, memory: '1T' } });
    await story.refused('launch', { kernel: path.join(guest, 'missing.elf') });
    await story.refused('launch', { kernel: guest });
    await story.refused('launch', { kernel: path.join(guest, 'worker.c') });
    await story.refused('launch', { kernel, symbols: [{ file: path.join(guest, 'missing.elf') }] });
    await launch(story, { stopOnEntry: 'reset' });
    await stop(story);
    await story.refused('launch', { kernel });
    await story.refused('next', { threadId: 3 });
    await story.refused('next', { threadId: 5 });
    await story.refused('stackTrace', { threadId: 'one' });
    await story.refused('scopes', { frameId: 77 });
    await story.refused('exceptionInfo', { threadId: 2 });
    await story.refused('source', { sourceReference: 99 });
    await story.refused('trapline/ledger', { from: -1, count: 3 });
    await story.refused('trapline/serialInput', { data: '!' });
    await story.request('setDataBreakpoints', { breakpoints: [{ dataId: 'nonsense' }] });
    await story.end('refusals');
  });
});
