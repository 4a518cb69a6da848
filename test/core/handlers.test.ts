// The interpreter executes frequent handlers in a switch over their index in the function table (decode-table.generated.ts).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { emptyHost } from '../oracle/engine-host.ts';
import { engineModules } from '../oracle/engine-decoder.ts';
import { Engine } from '../../src/core/engine.ts';

test('handlers in the switch have their number as their index in the function table', () => {
  const core = new Engine({
    modules: engineModules,
    host: emptyHost,
    vcpus: 1,
    memorySize: 1 << 20,
    arenaSize: 1 << 20,
  });
  const generated = readFileSync(
    path.join(import.meta.dirname, '../../src/core/assembly/core/decode-table.generated.ts'),
    'utf8',
  );
  const count = Number(/IN_SWITCH: u32 = (\d+);/.exec(generated)?.[1]);
  assert.ok(count > 100, `${count} handlers in the switch`);
  for (let number = 1; number <= count; number++) assert.equal(core.handlerIndex(number), number);
});
