import assert from 'node:assert/strict';
import { before, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { FakeTarget, mapImage, openSampleGuest } from '../../test/debugger/fake-target.ts';
import { OverlayTable } from '../guestdebug/overlay-table.ts';
import { BreakpointRegister } from '../guestdebug/register.ts';
import { SlotPlaces } from '../guestdebug/slot-places.ts';
import { HostSlots } from '../guestdebug/slots.ts';
import type { SymbolFile } from '../symbols/index.ts';
import type { LogLine } from './hit-filter.ts';
import { Module, ModuleSet } from './modules.ts';
import type { BreakpointHost, BreakpointWish } from './user-breakpoints.ts';
import { UserBreakpoints } from './user-breakpoints.ts';

const guest = fileURLToPath(new URL('../../guests/smp/smp.elf', import.meta.url));
const PLACE = 0x1000n;

/** The register as the guest-debug layer shows it; there is no machine behind it that stops. */
function apiOf(register: BreakpointRegister): BreakpointHost['api'] {
  return {
    announce: (owner, id) => register.announce(owner, id),
    reserve: (id) => register.reserve(id),
    set: (request) => register.set(request),
    withdraw: (id, addresses) => void register.withdraw(id, addresses),
    remove: (id) => void register.remove(id),
    undecided: ({ causes }) => causes.flatMap(({ undecided = [] }) => undecided),
  };
}

describe('breakpoints', () => {
  let file: SymbolFile;
  before(async () => {
    file = await openSampleGuest(guest);
  });

  let target: FakeTarget;
  let overlays: OverlayTable;
  let register: BreakpointRegister;
  let log: LogLine[];
  let breakpoints: UserBreakpoints;
  beforeEach(() => {
    target = new FakeTarget(2);
    mapImage(target, file, guest);
    const modules = new ModuleSet();
    modules.add(new Module('smp.elf', file));
    log = [];
    overlays = new OverlayTable();
    register = new BreakpointRegister(2, {
      overlay: overlays,
      hardware: new SlotPlaces(new HostSlots(2), 'windows'),
    });
    breakpoints = new UserBreakpoints({ target, modules, api: apiOf(register), onLog: (line) => log.push(line) });
  });
  const wish = (options: Partial<BreakpointWish> = {}): BreakpointWish => ({
    key: 'here',
    resolve: () => Promise.resolve({ kind: 'code', addresses: [PLACE] }),
    ...options,
  });
  const arrive = (vcpu = 0): string =>
    overlays
      .matching(vcpu, PLACE, 0n)
      .map((id) => register.ask(id, { vcpu, linear: PLACE }).verdict)
      .join();
  const placed = (): number => [...register.ids()].filter((id) => register.get(id)?.set !== undefined).length;

  it('count hits, and only those whose condition holds', async () => {
    await breakpoints.replace('source:a', [wish({ condition: '$rax > 10', hitCondition: '2' })]);
    target.slots.vcpu(0).rax = 5n;
    assert.equal(arrive(), 'continue');
    target.slots.vcpu(0).rax = 11n;
    assert.equal(arrive(), 'continue');
    assert.equal(arrive(), 'stop');
    assert.equal(arrive(), 'continue');
  });
  it('see the registers and memory of the vCPU that arrived', async () => {
    await breakpoints.replace('source:a', [wish({ condition: '$rbx == 7 && shared_list.count == 0' })]);
    target.slots.vcpu(1).rbx = 7n;
    assert.equal(arrive(0), 'continue');
    assert.equal(arrive(1), 'stop');
  });
  it('stop when a condition cannot be decided, and say why', async () => {
    await breakpoints.replace('source:a', [wish({ condition: '*(int *)$rax == 1' })]);
    target.slots.vcpu(0).rax = 0xdead0000n;
    const [id = 0] = overlays.matching(0, PLACE, 0n);
    const answer = register.ask(id, { vcpu: 0, linear: PLACE });
    assert.equal(answer.verdict, 'stop');
    assert.match(answer.reason ?? '', /^Condition '\*\(int \*\)\$rax == 1' cannot be evaluated: .*0xdead0000/);
    assert.deepEqual(log, []);
  });
  it('speak and go on when they are log points', async () => {
    await breakpoints.replace('source:a', [wish({ logMessage: 'rax is {$rax,x} and {*(int *)8}, {{}}' })]);
    target.slots.vcpu(0).rax = 255n;
    assert.equal(arrive(), 'continue');
    assert.equal(log[0]?.text, 'rax is 0xff and <Memory at 0x8 cannot be read>, {}');
  });
  it('are refused with a reason when something cannot be understood, and then are set nowhere', async () => {
    for (const options of [{ condition: 'nobody' }, { condition: '1 +' }, { hitCondition: 'x' }, { logMessage: '{' }]) {
      const [status] = await breakpoints.replace('source:a', [wish(options)]);
      assert.equal(status?.verified, false);
      const place = status?.place;
      assert.ok(place?.kind === 'nowhere' && place.message.length > 10);
      assert.equal(placed(), 0);
    }
  });
  it('keep what stays the same: id, hits and slot', async () => {
    const counted = wish({ hitCondition: '3' });
    const [first] = await breakpoints.replace('source:a', [counted]);
    arrive();
    arrive();
    const [again, added] = await breakpoints.replace('source:a', [counted, wish({ key: 'there' })]);
    assert.equal(again?.id, first?.id);
    assert.notEqual(added?.id, first?.id);
    await breakpoints.replace('source:a', [counted]);
    assert.equal(arrive(), 'stop');
  });
  it('at several addresses are one breakpoint with one count of hits', async () => {
    const [status] = await breakpoints.replace('function', [
      wish({ hitCondition: '3', resolve: () => Promise.resolve({ kind: 'code', addresses: [PLACE, 0x2000n] }) }),
    ]);
    const id = status?.id ?? 0;
    const at = (linear: bigint): string => register.ask(id, { vcpu: 0, linear }).verdict;
    assert.deepEqual([at(PLACE), at(0x2000n), at(PLACE)], ['continue', 'continue', 'stop']);
    assert.deepEqual([register.get(id)?.hits, placed()], [3, 1]);
    breakpoints.drop((address) => address === PLACE);
    assert.deepEqual([overlays.matching(0, PLACE, 0n), overlays.matching(0, 0x2000n, 0n)], [[], [id]]);
  });
  it('keep their numbers in the register of the next machine, which gives no number twice', async () => {
    const statuses = await breakpoints.replace('source:a', [
      wish({ key: '1' }),
      wish({ key: '2' }),
      wish({ key: '3' }),
    ]);
    await breakpoints.replace('source:a', [wish({ key: '2' })]);
    const next = new BreakpointRegister(2, {
      overlay: new OverlayTable(),
      hardware: new SlotPlaces(new HostSlots(2), 'windows'),
    });
    const restarted = new UserBreakpoints({
      target,
      modules: new ModuleSet(),
      api: apiOf(next),
      onLog: () => undefined,
    });
    assert.deepEqual(
      (await restarted.adopt(breakpoints)).map(({ id }) => id),
      [statuses[1]?.id],
    );
    assert.equal(next.announce(), (statuses[2]?.id ?? 0) + 1);
  });
  it('of one group leave the others alone', async () => {
    await breakpoints.replace('source:a', [wish()]);
    await breakpoints.replace('source:b', [wish()]);
    await breakpoints.replace('source:a', []);
    assert.equal(placed(), 1);
    await breakpoints.removeAll();
    assert.equal(placed(), 0);
  });
  it('on data: the fifth is refused, and gets the slot of one that goes', async () => {
    const data = (index: number): BreakpointWish =>
      wish({
        key: `data ${index}`,
        resolve: () => Promise.resolve({ kind: 'data', linear: BigInt(index * 8), size: 8, access: 'write' }),
      });
    const wishes = [1, 2, 3, 4, 5].map(data);
    const statuses = await breakpoints.replace('data', wishes);
    assert.deepEqual(
      statuses.map(({ verified }) => verified),
      [true, true, true, true, false],
    );
    const later = await breakpoints.replace('data', wishes.slice(1));
    assert.deepEqual(
      later.map(({ verified }) => verified),
      [true, true, true, true],
    );
    const refusal = statuses[4]?.refusal;
    assert.deepEqual(
      refusal?.kind === 'noSlotFree' ? refusal.holders.map(({ index, owners }) => [index, owners]) : refusal,
      [0, 1, 2, 3].map((index) => [index, [statuses[index]?.id]]),
    );
  });
  it('answer requests that overtake each other in the order in which they came', async () => {
    const slow = wish({
      key: 'slow',
      resolve: () => new Promise((resolve) => setTimeout(() => resolve({ kind: 'code', addresses: [PLACE] }), 5)),
    });
    const first = breakpoints.replace('source:a', [slow]);
    const second = breakpoints.replace('source:a', []);
    await Promise.all([first, second]);
    assert.equal(placed(), 0);
  });
});
