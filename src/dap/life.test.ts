import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { ProtocolError } from './errors.ts';
import { innerEvents, Life, requestEvents, sessionStates, sessionTable, type SessionEvent } from './life.ts';

const events: readonly SessionEvent[] = [...requestEvents, ...innerEvents];

describe('the life of a session', () => {
  it('is over for ever once it is', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events)), fc.array(fc.constantFrom(...events)), (before, after) => {
        const life = new Life();
        for (const event of before) life.take(event);
        life.take('vanish');
        life.take('released');
        assert.equal(life.state, 'closed');
        for (const event of after) life.take(event);
        assert.equal(life.state, 'closed');
      }),
    );
  });

  it('can end from every state, by every end', () => {
    for (const state of sessionStates) {
      for (const end of ['terminate', 'disconnect', 'vanish'] as const) {
        const next = sessionTable[state][end];
        assert.equal(next, state === 'closed' ? 'closed' : 'closing', `${state} ${end}`);
      }
    }
  });

  it('reaches every state, and leaves every state but the last', () => {
    const reached = new Set(['new']);
    for (const state of sessionStates) {
      const next = events.map((event) => sessionTable[state][event]).filter((cell) => typeof cell === 'string');
      for (const one of next) if (one !== state) reached.add(one);
      assert.equal(
        next.some((one) => one !== state),
        state !== 'closed',
        state,
      );
    }
    assert.deepEqual([...reached].sort(), [...sessionStates].sort());
  });

  it('refuses by one sentence, and changes nothing', () => {
    for (const state of sessionStates) {
      for (const event of requestEvents) {
        const cell = sessionTable[state][event];
        if (typeof cell === 'string') continue;
        // `notStopped` is a word of the protocol.
        assert.match(cell.sentence, /^([A-Za-z][^.]*\.|notStopped)$/, `${state} ${event}`);
      }
    }
    const life = new Life();
    assert.throws(
      () => life.request('restart'),
      (error) => error instanceof ProtocolError && error.code === 'notLaunched',
    );
    assert.equal(life.take('stop'), false);
    assert.equal(life.state, 'new');
  });
});
