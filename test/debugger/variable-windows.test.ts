/** `variables` answers the part that was asked for: `start` and `count` in arrays, members and registers. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import type { DebugProtocol as P } from '@vscode/debugprotocol';
import { missing, temporaryDirectory } from '../symbols/tools.ts';
import { compileLongMode, type SmallSession, withSmallGuest } from './small-guest.ts';

const skip = missing('gcc', 'ld');

describe('a part of many variables', { skip }, () => {
  let kernel = '';
  before(() => {
    kernel = compileLongMode('windows.c', join(temporaryDirectory(), 'windows.elf'));
  });
  const stopped = (work: (session: SmallSession) => Promise<void>): Promise<void> =>
    withSmallGuest(kernel, 'windows.c', { lines: ['/* FILLED */'] }, work);

  async function referenceOf({ client }: SmallSession, expression: string): Promise<number> {
    const body = await client.request<P.EvaluateResponse['body']>('evaluate', { expression });
    return body.variablesReference;
  }
  async function rows(
    { client }: SmallSession,
    variablesReference: number,
    part: Omit<P.VariablesArguments, 'variablesReference'>,
  ): Promise<readonly string[]> {
    const argument = { variablesReference, ...part };
    const { variables } = await client.request<P.VariablesResponse['body']>('variables', argument);
    return variables.map(({ name, value }) => `${name}=${value}`);
  }

  it('of an array begins at `start` and has `count` elements', () =>
    stopped(async (session) => {
      const numbers = await referenceOf(session, 'numbers');
      const part = await rows(session, numbers, { filter: 'indexed', start: 290, count: 3 });
      assert.deepEqual(part, ['[290]=1290', '[291]=1291', '[292]=1292']);
      const end = await rows(session, numbers, { filter: 'indexed', start: 298, count: 10 });
      assert.deepEqual(end, ['[298]=1298', '[299]=1299']);
      assert.deepEqual(await rows(session, numbers, { filter: 'named', start: 0, count: 3 }), []);
    }));

  it('of a row of a table begins at `start`, too', () =>
    stopped(async (session) => {
      const row = await referenceOf(session, 'table[2]');
      assert.deepEqual(await rows(session, row, { start: 1, count: 2 }), ['[1]=9', '[2]=10']);
    }));

  it('of the members of a struct begins at `start`', () =>
    stopped(async (session) => {
      const corner = await referenceOf(session, 'corner');
      assert.deepEqual(await rows(session, corner, { filter: 'named', start: 1, count: 2 }), ['y=20', 'z=30']);
      assert.deepEqual(await rows(session, corner, { start: 3, count: 5 }), ['w=40']);
    }));

  it('of the registers begins at `start`', () =>
    stopped(async (session) => {
      const [top] = await session.frames();
      const { scopes } = await session.client.request<P.ScopesResponse['body']>('scopes', { frameId: top?.id ?? 0 });
      const registers = scopes.find(({ presentationHint }) => presentationHint === 'registers');
      assert.ok(registers !== undefined);
      const all = await rows(session, registers.variablesReference, {});
      assert.ok(all.length > 3);
      const part = await rows(session, registers.variablesReference, { filter: 'named', start: 2, count: 2 });
      assert.deepEqual(part, all.slice(2, 4));
    }));
});
