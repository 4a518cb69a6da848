/** Stacks through code without call-frame information: the guests are written so that the true callers are known. */
import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { join } from 'node:path';
import { missing, temporaryDirectory } from '../symbols/tools.ts';
import type { SmallSession } from './small-guest.ts';
import { assembleLegacy, compileLongMode, lineOf, withSmallGuest } from './small-guest.ts';

const skip = missing('gcc', 'ld');
const directory = temporaryDirectory();
const line = (mark: string): number => lineOf('stacks.c', mark);

async function names(session: SmallSession, count: number): Promise<readonly string[]> {
  return (await session.frames()).slice(0, count).map(({ name }) => name);
}

for (const level of ['-O0', '-O2']) {
  describe(`a stack of code compiled with ${level}`, { skip }, () => {
    let kernel = '';
    before(() => {
      kernel = compileLongMode('stacks.c', join(directory, `stacks${level}.elf`), [level]);
    });
    const inHandler = (work: (session: SmallSession) => Promise<void>): Promise<void> =>
      withSmallGuest(kernel, 'stacks.c', { lines: ['/* HANDLER */'] }, async (session) => {
        await session.breakAt('/* HANDLER */');
        await work(session);
      });

    it("goes through a stub that leaves the interrupt's frame where it is", () =>
      inHandler(async (session) => {
        assert.deepEqual(await names(session, 4), ['handler', 'common_stub+0x13', 'interrupted', 'kernel_main']);
      }));
    it('shows the interrupted instruction, not the line before it', () =>
      inHandler(async (session) => {
        await session.go('continue');
        const frames = await session.frames();
        assert.deepEqual(
          frames.slice(0, 4).map(({ name }) => name),
          ['handler', 'invalid_opcode', 'interrupted', 'kernel_main'],
        );
        assert.equal(frames[2]?.line, line('/* UD2 */'));
      }));
    it('goes from assembly to its caller, with a question mark where it had to guess', () =>
      inHandler(async (session) => {
        await session.go('continue');
        await session.go('continue');
        assert.deepEqual(await names(session, 4), [
          'handler',
          'assembly_function+0x9',
          '? caller_of_assembly',
          '? kernel_main',
        ]);
      }));
    it('step out of assembly works from its first instruction on', () =>
      withSmallGuest(kernel, 'stacks.c', { functions: ['assembly_function'] }, async (session) => {
        assert.deepEqual(await names(session, 3), ['assembly_function', 'caller_of_assembly', 'kernel_main']);
        await session.go('stepOut');
        assert.match(await session.where(), /^caller_of_assembly:/);
      }));
    it('step out of assembly that has pushed something says that the caller is a guess', () =>
      withSmallGuest(kernel, 'stacks.c', { functions: ['assembly_function'] }, async (session) => {
        await session.go('next', { granularity: 'instruction' });
        await session.go('stepOut');
        assert.match(await session.where(), /^caller_of_assembly:/);
        const said = session.client.messages.map((message) => JSON.stringify(message)).join('\n');
        assert.match(said, /The caller of assembly_function\+0x1 is a guess/);
      }));
  });
}

describe('a stack in real mode', { skip }, () => {
  it('leads to the caller of a near call, and step out goes there', () =>
    withSmallGuest(
      assembleLegacy('real-mode.S', join(directory, 'real-mode.elf')),
      'real-mode.S',
      { functions: ['real_function'] },
      async (session) => {
        await session.go('stepOut');
        const [top] = await session.frames();
        assert.equal(top?.line, lineOf('real-mode.S', 'int $0x21'));
      },
    ));
});
