// Files on Node, and where the engine's modules lie beside this one.
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { EngineModules } from '../core/engine.ts';
import type { ByteSink, TextSink } from '../cli/environment.ts';
import { explainFileError, readWholeFile } from './regular-file.ts';

/** Characters that are collected before a file is written to. */
const WRITE_BUFFER = 65_536;

/** Creates or empties a text file. Throws with a sentence that names it, here and in its methods. */
export function createTextFile(path: string): TextSink {
  const attempt = <T>(action: () => T): T => {
    try {
      return action();
    } catch (error) {
      throw explainFileError(path, error);
    }
  };
  const descriptor = attempt(() => openSync(path, 'w'));
  let pending = '';
  const flush = (): void => {
    const text = pending;
    pending = '';
    writeFileSync(descriptor, text);
  };
  return {
    write: (text) => {
      pending += text;
      if (pending.length >= WRITE_BUFFER) attempt(flush);
    },
    close: () => {
      attempt(flush);
      attempt(() => closeSync(descriptor));
    },
  };
}

/** Creates or empties a file of bytes. Throws with a sentence that names it, here and in its methods. */
export function createByteFile(path: string): ByteSink {
  const attempt = (action: () => void): void => {
    try {
      action();
    } catch (error) {
      throw explainFileError(path, error);
    }
  };
  let descriptor = -1;
  attempt(() => {
    descriptor = openSync(path, 'w');
  });
  return {
    write: (bytes) => attempt(() => writeFileSync(descriptor, bytes)),
    close: () => attempt(() => closeSync(descriptor)),
  };
}

/** Compiles core.wasm and system.wasm: beside the bundle, or in dist/ when run from sources. */
export async function loadEngineModules(): Promise<EngineModules> {
  const beside = new URL('./core.wasm', import.meta.url);
  const found = await access(beside).then(
    () => true,
    () => false,
  );
  const folder = found ? new URL('./', import.meta.url) : new URL('../../dist/', import.meta.url);
  const read = async (name: string): Promise<Uint8Array<ArrayBuffer>> =>
    new Uint8Array(await readWholeFile(fileURLToPath(new URL(name, folder))));
  const [coreBytes, systemBytes] = [await read('core.wasm'), await read('system.wasm')];
  return {
    core: await WebAssembly.compile(coreBytes),
    system: await WebAssembly.compile(systemBytes),
    coreBytes,
    now: () => performance.now(),
  };
}
