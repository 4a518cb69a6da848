// Compiles src/core/assembly to dist/core.wasm and dist/system.wasm with AssemblyScript; what is up to date stays.
// usage: build-core.ts [--fast]   --fast: in a hurry, see core-modules.ts
import { spawnSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { CORE_DATA, SYSTEM_DATA } from '../src/core/layout.ts';
import {
  type CoreModule,
  entryOf,
  type Flavour,
  flavourArguments,
  outdatedModules,
  outputOf,
  stampFileOf,
  stampOf,
} from './core-modules.ts';
import { repositoryRoot } from './process.ts';

/** memoryBase must be decimal: a hex value is silently ignored by asc. */
const ownArguments: Readonly<Record<CoreModule, readonly string[]>> = {
  core: ['--memoryBase', String(CORE_DATA), '--exportTable'],
  system: ['--memoryBase', String(SYSTEM_DATA)],
};
const commonArguments = [
  '--noAssert',
  '--runtime',
  'stub',
  '--enable',
  'simd',
  '--importMemory',
  '--initialMemory',
  '64',
];

const asc = path.join(createRequire(import.meta.url).resolve('assemblyscript/package.json'), '../bin/asc.js');
const absolute = (file: string): string => path.join(repositoryRoot, file);

/** Compiles one module into dist. The stamp goes first and comes last: a build that is broken off leaves none. */
function compile(module: CoreModule, flavour: Flavour): boolean {
  const stamp = stampOf(module, flavour);
  const temporary = `dist/${module}.${process.pid}.tmp.wasm`;
  rmSync(absolute(stampFileOf(module)), { force: true });
  const own = [...flavourArguments[flavour], ...commonArguments, ...ownArguments[module]];
  const result = spawnSync(process.execPath, [asc, entryOf(module), '-o', temporary, ...own], {
    stdio: 'inherit',
    cwd: repositoryRoot,
  });
  if (result.status !== 0) {
    rmSync(absolute(temporary), { force: true });
    return false;
  }
  renameSync(absolute(temporary), absolute(outputOf(module)));
  writeFileSync(absolute(stampFileOf(module)), stamp);
  return true;
}

const flavour: Flavour = process.argv.includes('--fast') ? 'fast' : 'optimised';
mkdirSync(absolute('dist'), { recursive: true });
for (const module of outdatedModules(flavour)) {
  const started = performance.now();
  if (!compile(module, flavour)) {
    console.error(`${module}: asc failed on ${entryOf(module)}`);
    process.exit(1);
  }
  console.log(`${module}: built in ${((performance.now() - started) / 1000).toFixed(1)} s (${flavour})`);
}
