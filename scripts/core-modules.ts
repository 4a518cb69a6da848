// The two WebAssembly modules of the core: what each is compiled from and how, and whether dist has them as their sources say.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { hashFiles } from './files.ts';
import { importClosure } from './import-closure.ts';
import { repositoryRoot } from './process.ts';

export const coreModules = ['core', 'system'] as const;
export type CoreModule = (typeof coreModules)[number];

/**
 * optimised: what is shipped and measured (some 28 s of a processor). fast: for trying a change out (some 12 s): the same semantics,
 * several times slower to run. A fast module never passes for an optimised one: its stamp differs.
 */
export type Flavour = 'optimised' | 'fast';

/**
 * asc's arguments by flavour. `simplify-globals` is what the handler contract, and with it the JIT, needs of an optimiser: constants
 * stand where they are used.
 */
export const flavourArguments: Readonly<Record<Flavour, readonly string[]>> = {
  optimised: ['-O3'],
  fast: ['-O0', '--runPasses', 'simplify-globals'],
};

export const entryOf = (module: CoreModule): string => `src/core/assembly/${module}.ts`;
export const outputOf = (module: CoreModule): string => `dist/${module}.wasm`;
export const stampFileOf = (module: CoreModule): string => `dist/${module}.stamp`;

/** What decides a module's bytes: its sources, the compiler, how that is called. */
function stampsOf(module: CoreModule): Readonly<Record<Flavour, string>> {
  const sources = hashFiles([...importClosure([entryOf(module)]), 'scripts/build-core.ts', 'scripts/core-modules.ts']);
  const compiler = readFileSync(path.join(repositoryRoot, 'node_modules/assemblyscript/package.json'));
  const stamp = (flavour: Flavour): string =>
    createHash('sha256').update(`${flavour}\0${sources}\0`).update(compiler).digest('hex');
  return { optimised: stamp('optimised'), fast: stamp('fast') };
}

/** The content of a module's stamp file when it is built. */
export const stampOf = (module: CoreModule, flavour: Flavour): string => stampsOf(module)[flavour];

/** How the module in dist is compiled; undefined when there is none, or one of other sources. */
export function builtFlavour(module: CoreModule): Flavour | undefined {
  const stampFile = path.join(repositoryRoot, stampFileOf(module));
  if (!existsSync(stampFile) || !existsSync(path.join(repositoryRoot, outputOf(module)))) return undefined;
  const built = readFileSync(stampFile, 'utf8');
  const { optimised, fast } = stampsOf(module);
  return built === optimised ? 'optimised' : built === fast ? 'fast' : undefined;
}

/** Modules that have to be compiled before somebody who asks for this flavour may use dist. An optimised module serves everybody. */
export function outdatedModules(asked: Flavour): CoreModule[] {
  return coreModules.filter((module) => {
    const built = builtFlavour(module);
    return built === undefined || (asked === 'optimised' && built === 'fast');
  });
}
