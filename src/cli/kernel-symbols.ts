// Names for addresses of the kernel: of its ELF file, or what a compressed one says of itself in the guest's memory.
import type { MachineApi } from '../machine/api.ts';
import { createLocalSymbols, type SymbolFile } from '../symbols/index.ts';
import { kernelInMemory } from './running-kernel.ts';

export interface NamedPlace {
  readonly name: string;
  /** Distance from the symbol's address. */
  readonly offset: bigint;
  /** Where the symbol begins in source, as far as the debugging information says. */
  readonly source?: { readonly path: string; readonly line: number };
}

/** A kernel without any symbols (a damaged file) has no names; its addresses still can be reported. */
export class KernelSymbols {
  private readonly symbols = createLocalSymbols({
    openFile: (path) => {
      throw new Error(`${path} is not read here`);
    },
  });
  private readonly file: Promise<SymbolFile | undefined>;

  /** `machine`: where the kernel runs, or ran. */
  constructor(kernel: Uint8Array, name: string, machine: MachineApi) {
    this.file = this.open(kernel, name).then((file) => file ?? this.open(kernelInMemory(machine), name));
  }
  private open(bytes: Uint8Array | undefined, name: string): Promise<SymbolFile | undefined> {
    if (bytes === undefined) return Promise.resolve(undefined);
    return this.symbols.open({ kind: 'bytes', bytes }, name).catch(() => undefined);
  }
  dispose(): void {
    this.symbols.dispose();
  }

  async at(address: bigint): Promise<NamedPlace | undefined> {
    const file = await this.file;
    const hit = await file?.symbolAt(address).catch(() => undefined);
    if (file === undefined || hit === undefined || hit === null) return undefined;
    const { name } = hit.symbol;
    const row = await file.lineAt(hit.symbol.address).catch(() => undefined);
    if (row === undefined || row === null || row.line === 0) return { name, offset: hit.offset };
    return { name, offset: hit.offset, source: { path: row.file.path, line: row.line } };
  }
}
