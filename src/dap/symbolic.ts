/** Names of code for sentences. */
import type { ModuleSet } from '../debugger/modules.ts';
import type { NameOfCode } from '../words/places.ts';

/** Looks up what code at these addresses is called; a sentence about them can then be said at once. */
export async function namesOfCode(modules: ModuleSet, addresses: Iterable<bigint>): Promise<NameOfCode> {
  const names = new Map<bigint, string>();
  for (const address of new Set(addresses)) {
    const name = modules.at(address)?.hasCodeAt(address) === true ? await modules.describe(address) : undefined;
    if (name !== undefined) names.set(address, name);
  }
  return (address) => names.get(address);
}
