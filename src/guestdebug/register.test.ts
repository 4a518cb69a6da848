import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { HitFilter } from './api.ts';
import { isMachinery } from './api.ts';
import { OverlayTable } from './overlay-table.ts';
import { BreakpointRegister } from './register.ts';
import { SlotPlaces } from './slot-places.ts';
import { HostSlots } from './slots.ts';

const A = 0x1000n;

describe('the register of breakpoints', () => {
  let overlays: OverlayTable;
  let slots: HostSlots;
  let register: BreakpointRegister;
  beforeEach(() => {
    overlays = new OverlayTable();
    slots = new HostSlots(2);
    register = new BreakpointRegister(2, { overlay: overlays, hardware: new SlotPlaces(slots, 'windows') });
  });
  const set = (filter?: HitFilter): number => {
    const result = register.set({ kind: 'execution', linear: A, ...(filter === undefined ? {} : { filter }) });
    assert.ok(result.verified);
    return result.id;
  };
  const ask = (id: number): string => register.ask(id, { vcpu: 0, linear: A }).verdict;

  it('gives the user 1, 2, 3, and machinery numbers of the same space below zero', () => {
    const [one, two] = [register.announce(), register.announce('filter')];
    const step = register.set({ kind: 'execution', linear: A, owner: 'step' });
    const locator = register.set({ kind: 'execution', linear: [A, 0x2000n], owner: 'locator' });
    assert.ok(step.verified && locator.verified);
    assert.deepEqual([one, two, step.id, locator.id, set()], [1, 2, -1, -2, 3]);
    assert.deepEqual([1, -1].map(isMachinery), [false, true]);
  });
  it('several breakpoints share one place, and each keeps its own count', () => {
    const all = set();
    const odd = set(({ number }) => (number % 2 === 1 ? 'stop' : 'continue'));
    const never = set(() => 'noHit');
    assert.deepEqual(overlays.matching(0, A, 0n), [all, odd, never]);
    assert.equal(overlays.splitCount, 1);
    for (const expected of ['stop,stop,continue', 'stop,continue,continue', 'stop,stop,continue'])
      assert.equal([all, odd, never].map(ask).join(), expected);
    assert.deepEqual(
      [all, odd, never].map((id) => register.get(id)?.hits),
      [3, 3, 0],
    );
  });
  it('a breakpoint chooses its place: the same address as an overlay and in a slot', () => {
    const overlay = set();
    const slot = register.set({ kind: 'execution', linear: A, mode: 'hardware', vcpus: [1] });
    assert.deepEqual(slot.verified && slot.placement, { kind: 'slots', slots: [0], used: 1 });
    assert.deepEqual(overlays.matching(1, A, 0n), [overlay]);
    assert.deepEqual(slots.executeAt(1, A), { index: 0, ids: [slot.verified && slot.id] });
    register.remove(overlay);
    assert.deepEqual([overlays.splitCount, slots.free(1)], [0, 3]);
  });
  it('five addresses in slots are refused whole', () => {
    const linear = [1n, 2n, 3n, 4n, 5n];
    const refused = register.set({ kind: 'execution', linear, mode: 'hardware' });
    assert.deepEqual(refused, { verified: false, refusal: { kind: 'tooManySlots', size: 5, needs: 5 } });
    const scoped = register.set({ kind: 'execution', linear: A, mode: 'hardware', cr3: 0x5000n });
    assert.deepEqual(scoped, { verified: false, refusal: { kind: 'slotWithCr3' } });
    assert.deepEqual([slots.free(0), [...register.ids()]], [4, []]);
  });
  it('an announced breakpoint keeps its number when it is refused and gets a place later', () => {
    const id = register.announce();
    assert.equal(register.set({ id, kind: 'execution', linear: 1n << 60n }).verified, false);
    assert.equal(register.get(id)?.set, undefined);
    assert.deepEqual(register.set({ id, kind: 'execution', linear: A }).verified, true);
    assert.throws(() => register.set({ id, kind: 'execution', linear: A }), /Breakpoint 1 was not announced, or has/);
    assert.throws(() => register.set({ id: 9, kind: 'execution', linear: A }), /Breakpoint 9 was not announced/);
    register.remove(id);
    register.remove(id);
    assert.deepEqual([overlays.splitCount, [...register.ids()]], [0, []]);
  });
  it('a filter that throws stops, says why, and is no hit', () => {
    const thrown: unknown[] = [new Error('no such memory'), 'a word'];
    const id = set(() => {
      throw thrown.shift();
    });
    const answers = [0, 1].map(() => register.ask(id, { vcpu: 0, linear: A }));
    assert.deepEqual(answers, [
      { verdict: 'stop', reason: 'no such memory' },
      { verdict: 'stop', reason: 'a word' },
    ]);
    assert.equal(register.get(id)?.hits, 0);
  });
});
