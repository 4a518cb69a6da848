// Names for addresses in the kernel's ELF file.
import { createLocalSymbols, type SymbolFile } from '../symbols/index.ts';

export interface NamedPlace {
  readonly name: string;
  /** Distance from the symbol's address. */
  readonly offset: bigint;
  /** Where the symbol begins in source, as far as the debugging information says. */
  readonly source?: { readonly path: string; readonly line: number };
}

/** A kernel without ELF symbols (a bzImage, a damaged file) has no names; its addresses still can be reported. */
export class KernelSymbols {
  private readonly symbols = createLocalSymbols({
    openFile: (path) => {
      throw new Error(`${path} is not read here`);
    },
  });
  private readonly file: Promise<SymbolFile | undefined>;

  constructor(kernel: Uint8Array, name: string) {
    this.file = this.symbols.open({ kind: 'bytes', bytes: kernel }, name).catch(() => undefined);
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
