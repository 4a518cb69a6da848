/** Steps end where the flow that they follow goes on: over repaired faults, nameless code, busy lines, in every mode. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { join } from 'node:path';
import type { DebugRegistersBody, LedgerBody } from '../../src/dap/custom.ts';
import { missing, temporaryDirectory } from '../symbols/tools.ts';
import { assembleLegacy, compileLongMode, lineOf, withSmallGuest } from './small-guest.ts';

const skip = missing('gcc', 'ld');
const directory = temporaryDirectory();
const line = (mark: string): number => lineOf('steps.c', mark);

describe('a step in 64-bit code', { skip }, () => {
  let kernel = '';
  before(() => {
    kernel = compileLongMode('steps.c', join(directory, 'steps.elf'));
  });
  const at = (mark: string, work: Parameters<typeof withSmallGuest>[3]): Promise<void> =>
    withSmallGuest(kernel, 'steps.c', { lines: [mark] }, work);

  it('over UD2 whose handler moves RIP behind it ends on the next line', () =>
    at('/* UD2 */', async (session) => {
      await session.go('next');
      assert.equal(await session.where(), `repaired:${line('/* BEHIND UD2 */')}`);
    }));
  it('over UD2 by instruction ends behind it', () =>
    at('/* UD2 */', async (session) => {
      await session.go('next', { granularity: 'instruction' });
      assert.equal(await session.where(), `repaired:${line('/* BEHIND UD2 */')}`);
    }));
  it('over a store that a fixup elsewhere repairs ends on the next line, and leaves no slot behind', () =>
    at('/* STORE */', async (session) => {
      await session.go('next');
      assert.equal(await session.where(), `repaired:${line('/* BEHIND STORE */')}`);
      assert.equal(await slotsInUse(session), 0);
    }));
  it('over a repaired store works with all four debug registers in use, too', () =>
    at('/* REPAIRED */', async (session) => {
      const breakpoints = [];
      for (const name of ['0x80000', '0x81000', '0x82000', '0x83000']) {
        const argument = { name, asAddress: true, bytes: 8 };
        breakpoints.push(await session.client.request<{ dataId: string }>('dataBreakpointInfo', argument));
      }
      await session.client.request('setDataBreakpoints', {
        breakpoints: breakpoints.map(({ dataId }) => ({ dataId })),
      });
      assert.equal(await slotsInUse(session), 4);
      await session.breakAt('/* UD2 */');
      await session.go('continue');
      await session.breakAt();
      await session.go('next');
      assert.equal(await session.where(), `repaired:${line('/* BEHIND UD2 */')}`);
    }));
  it('over CALL to the next instruction ends on the next line', () =>
    at('/* CALL NEXT */', async (session) => {
      await session.go('next');
      assert.equal(await session.where(), `where_am_i:${line('/* BEHIND CALL NEXT */')}`);
    }));
  it('through code without lines and without a name comes back to the function', () =>
    at('/* NAMELESS */', async (session) => {
      await session.go('next');
      assert.equal(await session.where(), `through_nameless:${line('"jmp 1f')}`);
      await session.go('next');
      assert.equal(await session.where(), `through_nameless:${line('/* BACK */')}`);
    }));
  it('over a line that goes round 300,000 times takes few stops', () =>
    at('/* BUSY */', async (session) => {
      await session.go('next');
      assert.equal(await session.where(), `busy:${line('/* ROUND */')}`);
      const rows = await ledgerSize(session);
      await session.go('next');
      assert.equal(await session.where(), `busy:${line('/* BEHIND ROUND */')}`);
      assert.equal(await session.evaluate('rounds'), '300000');
      assert.ok((await ledgerSize(session)) - rows < 500, 'a lease for each instruction would be a ledger row each');
    }));
  it('over a recursive call ends in the same activation', () =>
    at('/* CALL ITSELF */', async (session) => {
      assert.equal(await session.evaluate('depth'), '3');
      await session.go('next');
      assert.equal(await session.where(), `recursive:${line('/* BEHIND ITSELF */')}`);
      assert.equal(await session.evaluate('depth'), '3');
      assert.equal(await session.evaluate('below'), '3');
    }));
  it('over a call of a function right behind it is a step over a call', () =>
    withSmallGuest(kernel, 'steps.c', { functions: ['near_caller'] }, async (session) => {
      await session.go('next', { granularity: 'instruction' });
      assert.match(await session.where(), /^near_caller\+0x5:/);
    }));
});

describe('a step in real mode', { skip }, () => {
  let kernel = '';
  before(() => {
    kernel = assembleLegacy('real-mode.S', join(directory, 'real-mode.elf'));
  });
  for (const [what, instruction, behind] of [
    ['a near call', 'call real_function', 'int $0x21'],
    ['INT n', 'int $0x21', 'lcall $0x0900'],
    ['a far call', 'lcall $0x0900', 'loop 1b'],
  ] as const) {
    it(`over ${what} ends behind it`, () =>
      withSmallGuest(kernel, 'real-mode.S', { lines: [instruction] }, async (session) => {
        await session.go('next');
        const [top] = await session.frames();
        assert.equal(top?.line, lineOf('real-mode.S', behind));
      }));
  }
});

type Session = Parameters<Parameters<typeof withSmallGuest>[3]>[0];

async function slotsInUse(session: Session): Promise<number> {
  const { vcpus } = await session.client.request<DebugRegistersBody>('trapline/debugRegisters');
  return vcpus.reduce((sum, { hostInUse }) => sum + hostInUse, 0);
}
async function ledgerSize(session: Session): Promise<number> {
  const body = await session.client.request<LedgerBody>('trapline/ledger', { from: 0, count: 1 });
  return body.size;
}
