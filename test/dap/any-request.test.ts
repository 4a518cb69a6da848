/** Requests with any arguments at all are answered, and never by an error of ours. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { it } from 'node:test';
import * as fc from 'fast-check';
import { createNodeAdapterHost } from '../../src/entry/node-adapter-host.ts';
import { Client, inProcess, RequestFailed } from './client.ts';
import { guest } from './story.ts';

const commands = [
  ...['threads', 'setBreakpoints', 'setFunctionBreakpoints', 'setInstructionBreakpoints', 'setDataBreakpoints'],
  ...['setExceptionBreakpoints', 'dataBreakpointInfo', 'breakpointLocations', 'exceptionInfo', 'stackTrace', 'scopes'],
  ...['variables', 'setVariable', 'setExpression', 'evaluate', 'completions', 'source', 'loadedSources', 'modules'],
  ...['readMemory', 'writeMemory', 'disassemble', 'trapline/machine', 'trapline/debugRegisters', 'trapline/ledger'],
  ...['trapline/place', 'trapline/serialInput', 'launch', 'configurationDone', 'cancel', 'initialize'],
];
const value = fc.oneof(
  fc.constantFrom<unknown>(
    0,
    1,
    2,
    4,
    -1,
    7.5,
    1e9,
    2 ** 53,
    1e300,
    null,
    true,
    false,
    '',
    'x',
    [],
    {},
    [1],
    [null],
    [{}],
  ),
  fc.constantFrom<unknown>(
    '0x100000',
    '0x10000c',
    '0xffffffffffffffff',
    '99999999999999999999',
    '$rax',
    'shared_list',
    'AAAA',
  ),
  fc.constantFrom<unknown>(
    'shared_list.magic',
    'cpus[1]',
    '*shared_list.head',
    'list_*',
    '*0x100000',
    'indexed',
    'named',
    'repl',
  ),
  fc.jsonValue({ maxDepth: 2 }),
);
const names = [
  ...[
    'source',
    'breakpoints',
    'threadId',
    'frameId',
    'variablesReference',
    'name',
    'value',
    'expression',
    'context',
    'start',
  ],
  ...[
    'count',
    'filter',
    'memoryReference',
    'offset',
    'instructionOffset',
    'instructionCount',
    'data',
    'text',
    'column',
    'line',
  ],
  ...[
    'filters',
    'filterOptions',
    'bytes',
    'asAddress',
    'from',
    'address',
    'sourceReference',
    'levels',
    'startFrame',
    'kernel',
  ],
];
const element = fc.record(
  {
    line: value,
    name: value,
    condition: value,
    hitCondition: value,
    logMessage: value,
    dataId: value,
    instructionReference: value,
    path: value,
  },
  { requiredKeys: [] },
);
const argument = fc.oneof(
  fc.dictionary(fc.constantFrom(...names), value, { maxKeys: 5 }),
  fc.record({ source: element, breakpoints: fc.array(element, { maxLength: 3 }), line: value }),
  fc.record({ expression: value, frameId: fc.constantFrom(1, 2), context: fc.constantFrom('repl', 'watch') }),
  fc.record({
    memoryReference: fc.constantFrom('0x100000', '0x0', '0xffffffffffffffff'),
    offset: value,
    count: value,
    data: value,
    instructionCount: fc.constantFrom(0, 3, -3, 1e9),
    instructionOffset: value,
  }),
);

it('answers anything', async () => {
  const host = createNodeAdapterHost();
  const client = new Client(inProcess(host));
  await client.launch({ kernel: path.join(guest, 'smp.elf'), machine: { cpus: 2, memory: '16M' }, stopOnEntry: true });
  await client.stopped();
  await client.request('stackTrace', { threadId: 1 });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...commands), argument, async (command, given) => {
      try {
        await client.request(command, given);
      } catch (error) {
        assert.ok(error instanceof RequestFailed);
        assert.ok(!error.message.startsWith('Internal error'), `${command} ${JSON.stringify(given)}: ${error.message}`);
      }
    }),
    { numRuns: 1500 },
  );
  await client.close();
  host.dispose();
});
