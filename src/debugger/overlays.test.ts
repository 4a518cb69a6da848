import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { BreakpointRequest, SetResult } from '../guestdebug/api.ts';
import type { OverlayOwner } from './overlays.ts';
import { Overlays } from './overlays.ts';

/** What the guest-debug layer was asked for. */
class FakeLayer {
  readonly set_ = new Map<number, BreakpointRequest>();
  private next = 1;
  set(request: BreakpointRequest): SetResult {
    const id = this.next++;
    this.set_.set(id, request);
    return { verified: true, id, message: 'overlay', slots: [] };
  }
  remove(id: number): void {
    this.set_.delete(id);
  }
  /** A vCPU comes to the address. */
  arrive(linear: bigint, vcpu: number): 'stop' | 'continue' | 'nobody' {
    for (const request of this.set_.values()) {
      if (request.linear === linear) return request.filter?.(vcpu, undefined) ?? 'stop';
    }
    return 'nobody';
  }
}
const owner = (id: number, answer: 'stop' | 'continue', temporary = false): OverlayOwner & { asked: number } => {
  const made = { id, temporary, asked: 0, arrive: (): 'stop' | 'continue' => (made.asked++, answer) };
  return made;
};

describe('overlays', () => {
  let layer: FakeLayer;
  let overlays: Overlays;
  beforeEach(() => {
    layer = new FakeLayer();
    overlays = new Overlays(layer);
  });

  it('share one place, and ask everybody who wants it', () => {
    const a = owner(1, 'continue');
    const b = owner(2, 'stop');
    overlays.add(0x1000n, a);
    overlays.add(0x1000n, b);
    assert.equal(layer.set_.size, 1);
    assert.equal(layer.arrive(0x1000n, 3), 'stop');
    assert.deepEqual([a.asked, b.asked], [1, 1]);
    assert.deepEqual(overlays.arrivalOf(3, 0x1000n)?.owners, [b]);
    assert.equal(overlays.arrivalOf(2, 0x1000n), undefined);
    assert.equal(overlays.arrivalOf(3, 0x1001n), undefined);
  });
  it('go when the last one has gone; adding and removing twice does no harm', () => {
    const a = owner(1, 'stop');
    const b = owner(2, 'stop');
    overlays.add(0x1000n, a);
    overlays.add(0x1000n, a);
    overlays.add(0x1000n, b);
    overlays.remove(0x1000n, a);
    overlays.remove(0x1000n, a);
    assert.equal(layer.arrive(0x1000n, 0), 'stop');
    overlays.remove(0x1000n, b);
    overlays.remove(0x1000n, b);
    assert.equal(layer.arrive(0x1000n, 0), 'nobody');
  });
  it('nobody wants to stop: the guest goes on, and nothing is remembered', () => {
    overlays.add(0x1000n, owner(1, 'continue'));
    assert.equal(layer.arrive(0x1000n, 0), 'continue');
    assert.equal(overlays.arrivalOf(0, 0x1000n), undefined);
  });
  it('a step that passes by asks the breakpoints of the user only', () => {
    const step = owner(0, 'stop', true);
    const user = owner(1, 'stop');
    overlays.add(0x1000n, step);
    assert.deepEqual(overlays.passBy(0x1000n, 0), []);
    overlays.add(0x1000n, user);
    assert.deepEqual(overlays.passBy(0x1000n, 0), [user]);
    assert.equal(step.asked, 0);
    overlays.forgetArrival(0);
    assert.equal(overlays.arrivalOf(0, 0x1000n), undefined);
  });
});
