import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import * as V from '../core/state-values.ts';
import { catchBits, isControlError, parseControl } from './control-request.ts';
import * as P from './policy.ts';
import { controlRefusalText } from '../words/control.ts';

test('whatever a client sends is answered, never thrown', () => {
  const word = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
  const request = fc.record({
    control: fc.oneof(fc.integer(), fc.double(), fc.constantFrom(1, 0x20001, 0x40001, 0x80001)),
    pad: fc.constantFrom(0, 0, 0, 1),
    debugreg: fc.oneof(fc.array(word), fc.array(word, { minLength: 8, maxLength: 8 })),
  });
  fc.assert(
    fc.property(request, (each) => {
      const parsed = parseControl(each);
      if (isControlError(parsed)) assert.match(controlRefusalText(parsed.refusal), /\.$/);
      else assert.equal((parsed.stored & ~P.CONTROL_SUPPORTED) >>> 0, 0);
    }),
  );
});
test('ENABLE clear: all but the injections read as 0', () => {
  const debugreg = Array.from({ length: 8 }, () => 0n);
  const parsed = parseControl({ control: P.CONTROL_INJECT_DB | P.CONTROL_SINGLE_STEP, pad: 0, debugreg });
  assert.ok(!isControlError(parsed));
  assert.deepEqual([parsed.stored, parsed.injectDb], [0, true]);
});
test("the catch bits are the observer's, shifted", () => {
  const pairs: [number, number][] = [
    [P.CONTROL_CATCH_BP, V.CATCH_BP],
    [P.CONTROL_CATCH_BP_BOTH, V.CATCH_BP_SOFTWARE_INTERRUPT],
    [P.CONTROL_CATCH_DB, V.CATCH_DB],
    [P.CONTROL_CATCH_ICEBP, V.CATCH_ICEBP],
    [P.CONTROL_CATCH_GENERAL_DETECT, V.CATCH_GENERAL_DETECT],
    [P.CONTROL_CATCH_TASK_SWITCH, V.CATCH_TASK_SWITCH],
  ];
  for (const [control, bits] of pairs) assert.equal(catchBits(control), bits);
});
test('an execution slot has length 1: whatever else DR7 says is refused, since it would never match', () => {
  for (const length of [0n, 1n, 2n, 3n]) {
    const debugreg = [0x1000n, 0n, 0n, 0n, 0n, 0n, 0n, 1n | (length << 18n)];
    const parsed = parseControl({ control: P.CONTROL_ENABLE | P.CONTROL_HARDWARE_BREAKPOINTS, pad: 0, debugreg });
    assert.equal(isControlError(parsed), length !== 0n, `length code ${length}`);
  }
});
