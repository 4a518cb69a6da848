/** What gdb-stops.test.ts once found, each by its name, so that it is noticed without gdb, too. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { DebugProtocol as P } from '@vscode/debugprotocol';
import { StopSession } from './stop-session.ts';

describe('found by gdb', () => {
  const session = new StopSession();
  before(() => session.start());
  after(() => session.end());

  const typeOf = async (expression: string): Promise<string | undefined> =>
    (await session.request<P.EvaluateResponse['body']>('evaluate', { expression, context: 'watch' })).type;

  it('a constant array of constant elements is constant once', async () => {
    assert.equal(await typeOf('trap_stubs'), 'const uintptr_t [48]');
  });

  it('functions have their parameters in their types', async () => {
    assert.equal(await typeOf('list_insert'), 'void (struct list *, struct node *)');
    assert.equal(await typeOf('&list_verify'), 'enum list_fault (*)(const struct list *)');
    assert.equal(await typeOf('trap_load'), 'void (void)');
    assert.equal(await typeOf('console_print'), 'void (const char *, ...)');
  });

  it('an interrupted function has its locals at the first instruction of the handler', async () => {
    await session.request('setFunctionBreakpoints', { breakpoints: [{ name: 'stub_32' }] });
    const focus = await session.run('continue', { threadId: 1 });
    const { threads } = await session.take('the tick', focus);
    const [stub, interrupted] = threads.get(focus) ?? [];
    assert.equal(stub?.name, 'stub_32');
    assert.equal(interrupted?.name, 'idle_ticks');
    for (const { name, value } of interrupted?.variables ?? []) assert.match(value.text, /^(0x)?[0-9]/, name);
    assert.ok([...(interrupted?.registers.values() ?? [])].every((value) => value.startsWith('0x')));
  });
});
