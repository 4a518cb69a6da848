/** The schema that all messages of the other tests are held against says no where it has to. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ProtocolSchema } from '../harness/protocol-schema.ts';

it('the schema made from the declarations accepts what the protocol says, and nothing else', () => {
  const schema = new ProtocolSchema();
  const event = (name: string, body: object): object => ({ seq: 1, type: 'event', event: name, body });
  const answer = (command: string, body: object): object => ({
    ...{ seq: 1, type: 'response', request_seq: 1, success: true },
    command,
    body,
  });
  const good = [
    event('stopped', { reason: 'step', threadId: 1 }),
    event('trapline/serial', { data: '' }),
    answer('variables', { variables: [{ name: 'a', value: '1', variablesReference: 0 }] }),
    answer('dataBreakpointInfo', { dataId: null, description: '' }),
    event('progressUpdate', { progressId: 'x', percentage: 12.5 }),
    { seq: 1, type: 'response', request_seq: 1, success: false, command: 'next', message: 'no', body: {} },
  ];
  for (const message of good) assert.equal(schema.fault({ ...message }), undefined);
  const bad: readonly (readonly [object, RegExp])[] = [
    [event('stopped', { threadId: 1 }), /reason/],
    [event('output', { output: 7 }), /output/],
    [event('breakpoint', { reason: 'changed', breakpoint: { id: 1 } }), /verified/],
    [answer('variables', { variables: [{ name: 'a', value: '1', variablesReference: 2 ** 31 }] }), /2147483647/],
    [answer('completions', { targets: [{ label: 'x', start: 1e300 }] }), /start/],
    [answer('setBreakpoints', { breakpoints: [{ verified: true, line: 79.5 }] }), /line/],
    [answer('stackTrace', {}), /stackFrames/],
    [{ seq: 'x', type: 'event', event: 'initialized' }, /seq/],
    [{ type: 'question' }, /question/],
  ];
  for (const [message, why] of bad) assert.match(schema.fault({ ...message }) ?? 'nothing', why);
});
