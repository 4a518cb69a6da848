// Preloaded (node --import) by test/jit/suites: every engine of the process gets the JIT at threshold 1, so that whatever a suite
// runs is compiled before it runs for the first time. At the end a line of TRAPLINE_SHARES says how much ran compiled.
import { appendFileSync } from 'node:fs';
import path from 'node:path';
import { Engine } from '../../src/core/engine.ts';
import * as L from '../../src/core/layout.ts';
import { loadEngineModules } from '../../src/entry/node-files.ts';
import { Jit } from '../../src/jit/jit.ts';

const { coreBytes } = await loadEngineModules();
if (coreBytes === undefined) throw new Error('dist/core.wasm is missing; npm run build makes it');
const bytes = coreBytes;
const engines = new Set<Engine>();
let ticks = 0;
let compiled = 0n;

function adopt(engine: Engine): void {
  engines.add(engine);
  if (engine.rawView.getUint32(L.HOT_THRESHOLD, true) === 0) {
    const jit = new Jit(bytes, engine, { batch: 1 });
    engine.onHot = (block) => jit.hot(block);
  }
  engine.hotThreshold = 1;
}
const run = Object.getOwnPropertyDescriptor(Engine.prototype, 'run')?.value as Engine['run'];
Engine.prototype.run = function (this: Engine, budget: number, clockEnd: bigint) {
  if (!engines.has(this)) adopt(this);
  const before = this.compiledTicks;
  const result = run.call(this, budget, clockEnd);
  ticks += result.used;
  compiled += this.compiledTicks - before;
  return result;
};
process.on('exit', () => {
  const file = process.env['TRAPLINE_SHARES'];
  const test = process.argv.slice(1).find((argument) => argument.endsWith('.test.ts'));
  if (file === undefined || test === undefined) return;
  appendFileSync(file, `${JSON.stringify({ test: path.basename(test), ticks, compiled: Number(compiled) })}\n`);
});
