/** Sentences with names in them. */
import type { ModuleSet } from '../debugger/modules.ts';

/** Adds names behind the addresses of code in a sentence: `at 0x102a29 <worker_run+57>`. */
export async function withSymbols(modules: ModuleSet, sentence: string): Promise<string> {
  const parts: string[] = [];
  for (const part of sentence.split(/(0x[0-9a-f]{4,16}\b)(?! <)/)) {
    parts.push(part);
    if (!/^0x[0-9a-f]{4,16}$/.test(part)) continue;
    const address = BigInt(part);
    const name = modules.at(address)?.hasCodeAt(address) === true ? await modules.describe(address) : undefined;
    if (name !== undefined) parts.push(` <${name}>`);
  }
  return parts.join('');
}
