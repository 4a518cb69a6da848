import assert from 'node:assert/strict';
import { before, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { FakeTarget, mapImage, openSampleGuest } from '../../test/debugger/fake-target.ts';
import type { BreakpointRequest, SetResult } from '../guestdebug/api.ts';
import type { SymbolFile } from '../symbols/index.ts';
import type { BreakpointWish, LogLine } from './breakpoints.ts';
import { Breakpoints } from './breakpoints.ts';
import { Module, ModuleSet } from './modules.ts';
import { Overlays } from './overlays.ts';

const guest = fileURLToPath(new URL('../../guests/smp/smp.elf', import.meta.url));
const PLACE = 0x1000n;

describe('breakpoints', () => {
  let file: SymbolFile;
  before(async () => {
    file = await openSampleGuest(guest);
  });

  let target: FakeTarget;
  let requests: Map<number, BreakpointRequest>;
  let log: LogLine[];
  let breakpoints: Breakpoints;
  let free = 4;
  beforeEach(() => {
    target = new FakeTarget(2);
    mapImage(target, file, guest);
    const modules = new ModuleSet();
    modules.add(new Module('smp.elf', file));
    requests = new Map();
    log = [];
    free = 4;
    let next = 1;
    const api = {
      set(request: BreakpointRequest): SetResult {
        if (request.kind === 'data') {
          if (free === 0) return { verified: false, message: 'No debug-register slot free.' };
          free--;
        }
        requests.set(next, request);
        return { verified: true, id: next++, message: `H${3 - free}`, slots: [] };
      },
      remove(id: number) {
        if (requests.get(id)?.kind === 'data') free++;
        requests.delete(id);
      },
    };
    breakpoints = new Breakpoints({
      target,
      modules,
      overlays: new Overlays(api),
      api,
      onLog: (line) => log.push(line),
    });
  });
  const wish = (options: Partial<BreakpointWish> = {}): BreakpointWish => ({
    key: 'here',
    resolve: () => Promise.resolve({ kind: 'code', addresses: [PLACE] }),
    ...options,
  });
  const arrive = (vcpu = 0): string =>
    [...requests.values()].map((request) => request.filter?.(vcpu, undefined) ?? 'stop').join();

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
    assert.equal(arrive(), 'stop');
    assert.match(log[0]?.text ?? '', /cannot be evaluated: .*0xdead0000/);
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
      assert.ok((status?.message ?? '').length > 10);
      assert.equal(requests.size, 0);
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
  it('of one group leave the others alone', async () => {
    await breakpoints.replace('source:a', [wish()]);
    await breakpoints.replace('source:b', [wish()]);
    await breakpoints.replace('source:a', []);
    assert.equal(requests.size, 1);
    await breakpoints.removeAll();
    assert.equal(requests.size, 0);
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
    assert.deepEqual(breakpoints.idsOf([2]), [statuses[1]?.id]);
  });
  it('answer requests that overtake each other in the order in which they came', async () => {
    const slow = wish({
      key: 'slow',
      resolve: () => new Promise((resolve) => setTimeout(() => resolve({ kind: 'code', addresses: [PLACE] }), 5)),
    });
    const first = breakpoints.replace('source:a', [slow]);
    const second = breakpoints.replace('source:a', []);
    await Promise.all([first, second]);
    assert.equal(requests.size, 0);
  });
});
