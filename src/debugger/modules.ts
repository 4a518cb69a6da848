/** The symbol files of a session, each with the distance by which it was moved, and questions that span them. */
import type { ElfSegment, ElfSymbol, LineLocation, SourceFile, SymbolFile, SymbolHit } from '../symbols/index.ts';
import { Placement } from '../symbols/index.ts';
import { TypeStore } from './types.ts';

/** `p_flags` of a segment that is executed. */
const PF_X = 1;

/** One symbol file in the guest's address space. Run-time address = link-time address + bias, for what moves with it. */
export class Module {
  readonly name: string;
  readonly file: SymbolFile;
  readonly bias: bigint;
  readonly store: TypeStore;
  private readonly placement: Placement;
  private sources: Promise<ReadonlyMap<number, SourceFile>> | undefined;

  constructor(name: string, file: SymbolFile, bias = 0n) {
    this.name = name;
    this.file = file;
    this.bias = bias;
    this.placement = new Placement(file.elf);
    this.store = new TypeStore(file, file.elf.pointerSize);
  }

  /** Link-time address of a run-time address. */
  link(address: bigint): bigint {
    return BigInt.asUintN(64, address - this.bias);
  }
  /** Run-time address of a link-time address: absolute numbers and per-CPU distances stay what they are. */
  run(address: bigint): bigint {
    return this.placement.moves(address) ? BigInt.asUintN(64, address + this.bias) : address;
  }

  /** Whether a loaded segment of the file covers the run-time address. */
  covers(address: bigint): boolean {
    return this.segmentAt(this.link(address)) !== undefined;
  }

  /** Whether the address lies in a segment that is executed. */
  hasCodeAt(address: bigint): boolean {
    return ((this.segmentAt(this.link(address))?.flags ?? 0) & PF_X) !== 0;
  }

  private segmentAt(linked: bigint): ElfSegment | undefined {
    if (!this.placement.moves(linked)) return undefined;
    return this.file.elf.segments.find(
      ({ isLoad, virtualAddress, memorySize }) =>
        isLoad && linked >= virtualAddress && linked < virtualAddress + memorySize,
    );
  }

  /** The source file of a `SourceFile.id`. */
  async source(id: number): Promise<SourceFile | undefined> {
    this.sources ??= this.file.sourceFiles().then((files) => new Map(files.map((file) => [file.id, file])));
    return (await this.sources).get(id);
  }

  lineAt(address: bigint): Promise<LineLocation | null> {
    return this.file.lineAt(this.link(address));
  }
}

const hasDebugInformation = ({ file }: Module): boolean => file.elf.hasDebugInformation;

/** Remembers at most this many names of addresses. */
const NAME_LIMIT = 20_000;

export class ModuleSet {
  private readonly list: Module[] = [];
  private readonly names = new Map<bigint, string | undefined>();
  private readonly wanted = new Set<bigint>();

  get all(): readonly Module[] {
    return this.list;
  }
  add(module: Module): void {
    this.list.push(module);
    this.names.clear();
  }
  remove(module: Module): void {
    const index = this.list.indexOf(module);
    if (index >= 0) this.list.splice(index, 1);
    this.names.clear();
  }
  /** The module that answers for an address: of several that cover it (a stripped kernel and its debug file) the one that knows more. */
  at(address: bigint): Module | undefined {
    const around = this.list.filter((module) => module.covers(address));
    return around.find(hasDebugInformation) ?? around[0];
  }
  /** The module whose types and names go first where no place is given. */
  get first(): Module | undefined {
    return this.list.find(hasDebugInformation) ?? this.list[0];
  }

  /** Where functions of a name begin, at run-time addresses; of what several modules describe only the best description. */
  async functionBreakpoints(
    name: string,
    modules: readonly Module[] = this.list,
  ): Promise<readonly { readonly address: bigint; readonly location: LineLocation | null }[]> {
    const found: { address: bigint; location: LineLocation | null }[] = [];
    for (const module of modules) {
      for (const { address: linked, location } of await module.file.functionBreakpoints(name)) {
        const address = module.run(linked);
        const owner = this.at(address);
        if (owner === undefined || owner === module || !modules.includes(owner)) found.push({ address, location });
      }
    }
    return found;
  }

  async symbolAt(address: bigint): Promise<(SymbolHit & { readonly module: Module }) | undefined> {
    const module = this.at(address);
    if (module === undefined) return undefined;
    const hit = await module.file.symbolAt(module.link(address));
    return hit === null ? undefined : { ...hit, module };
  }

  async symbolsNamed(name: string): Promise<readonly { readonly module: Module; readonly symbol: ElfSymbol }[]> {
    const found: { module: Module; symbol: ElfSymbol }[] = [];
    for (const module of this.list) {
      for (const symbol of await module.file.symbolsNamed(name)) found.push({ module, symbol });
    }
    return found;
  }

  /** `symbol` or `symbol+0x1a` for an address inside a module; asks the symbol worker when it has to. */
  async describe(address: bigint): Promise<string | undefined> {
    if (this.names.has(address)) return this.names.get(address);
    const hit = await this.symbolAt(address);
    let name: string | undefined;
    if (hit !== undefined && (hit.symbol.size === 0n ? hit.offset < 0x10000n : hit.offset < hit.symbol.size)) {
      name = hit.offset === 0n ? hit.symbol.name : `${hit.symbol.name}+0x${hit.offset.toString(16)}`;
    }
    if (this.names.size >= NAME_LIMIT) this.names.clear();
    this.names.set(address, name);
    return name;
  }

  /** The name of an address when it is known already; else it is noted, and `resolveNames` finds it. */
  readonly symbolize = (address: bigint): string | undefined => {
    const known = this.names.get(address);
    if (known === undefined && !this.names.has(address) && this.at(address) !== undefined) this.wanted.add(address);
    return known;
  };

  /** Formats with names of addresses: what the first pass misses is resolved, then it is done again. */
  async withNames<Result>(work: () => Promise<Result> | Result): Promise<Result> {
    const first = await work();
    if (this.wanted.size === 0) return first;
    const addresses = [...this.wanted];
    this.wanted.clear();
    for (const address of addresses) await this.describe(address);
    return work();
  }
}
