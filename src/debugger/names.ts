/** Names in scope: a frame's locals, then globals of its unit, then everything else the modules know. */
import type { ElfSymbol, FrameScopes, TypeId, VariableInfo } from '../symbols/index.ts';
import { voidType } from '../symbols/index.ts';
import type { NamedEntity, NameScope } from './expression/scope.ts';
import type { Module, ModuleSet } from './modules.ts';
import { TypeStore } from './types.ts';

/** Where names are looked up. Without a module there are only the globals of all modules. */
export interface ScopePlace {
  readonly module: Module;
  /** Run-time pc whose unit goes first. */
  readonly pc: bigint;
  /** Scopes at the pc, from the selected function (or inlined instance) on; outer ones are not visible. */
  readonly scopes: FrameScopes | undefined;
}

/** Types for expressions where no symbol file is loaded. */
const noFile = { types: () => Promise.resolve([]) };

export class ModuleScope implements NameScope {
  readonly store: TypeStore;
  private readonly modules: ModuleSet;
  private readonly place: ScopePlace | undefined;

  constructor(modules: ModuleSet, place: ScopePlace | undefined) {
    this.modules = modules;
    this.place = place;
    this.store = place?.module.store ?? modules.first?.store ?? new TypeStore(noFile, 8);
  }

  async lookup(name: string): Promise<NamedEntity | undefined> {
    const local = this.local(name);
    if (local !== undefined) return local;
    for (const module of this.ordered()) {
      const pc = module === this.place?.module ? module.link(this.place.pc) : undefined;
      const globals = await module.file.globalsNamed(name, pc);
      const global = globals.find(({ location }) => location.kind === 'expression' || location.kind === 'constant');
      if (global !== undefined) return variable(module, global);
      const enumerator = await module.file.enumeratorNamed(name, pc);
      if (enumerator !== null)
        return { kind: 'constant', store: module.store, type: enumerator.type, value: enumerator.value };
      const functions = await module.file.functionsNamed(name);
      const body = functions[0];
      if (body !== undefined) {
        const type = await module.store.functionTyped(body.id);
        return { kind: 'object', store: module.store, type, address: module.run(body.entry) };
      }
    }
    return this.symbol(name);
  }

  /** Parameters and variables of the frame, innermost block first. */
  private local(name: string): NamedEntity | undefined {
    const { place } = this;
    if (place?.scopes === undefined) return undefined;
    for (const block of place.scopes.blocks) {
      // The last declaration of a block hides earlier ones of the same name.
      const found = block.variables.findLast((one) => one.name === name);
      if (found !== undefined) return variable(place.module, found);
    }
    const parameter = place.scopes.parameters.find((one) => one.name === name);
    return parameter === undefined ? undefined : variable(place.module, parameter);
  }

  /** A symbol without debugging information: code is a function, all else something without a type. */
  private async symbol(name: string): Promise<NamedEntity | undefined> {
    for (const module of this.ordered()) {
      const symbol = (await module.file.symbolsNamed(name))[0];
      if (symbol === undefined) continue;
      const { store } = module;
      const type = symbol.kind === 'function' ? store.functionReturning(voidType) : store.untyped(sizeOf(symbol));
      const address = symbol.section === '*ABS*' ? symbol.address : module.run(symbol.address);
      return { kind: 'object', store, type, address };
    }
    return undefined;
  }

  async typeNamed(name: string): Promise<TypeId | undefined> {
    const module = this.place?.module ?? this.modules.first;
    if (module === undefined) return undefined;
    const pc = this.place === undefined ? undefined : module.link(this.place.pc);
    const id = await module.file.typeNamed(name, pc);
    if (id === null) return undefined;
    await module.store.load([id]);
    return id;
  }

  /** Names that begin with the prefix, for completions: locals, globals, functions. */
  async namesWith(
    prefix: string,
    limit: number,
  ): Promise<readonly { readonly name: string; readonly kind: 'variable' | 'function' }[]> {
    const found = new Map<string, 'variable' | 'function'>();
    for (const one of visibleVariables(this.place?.scopes)) {
      if (one.name.startsWith(prefix)) found.set(one.name, 'variable');
    }
    for (const module of this.ordered()) {
      for (const name of await module.file.globalNamesByPrefix(prefix, limit)) found.set(name, 'variable');
      for (const symbol of await module.file.symbolsByPrefix(prefix, limit)) {
        if (!found.has(symbol.name)) found.set(symbol.name, symbol.kind === 'function' ? 'function' : 'variable');
      }
    }
    return [...found].slice(0, limit).map(([name, kind]) => ({ name, kind }));
  }

  /** The place's module first. */
  private ordered(): readonly Module[] {
    const first = this.place?.module;
    if (first === undefined) return this.modules.all;
    return [first, ...this.modules.all.filter((module) => module !== first)];
  }
}

/** The size of what a symbol designates in bytes; undefined when the symbol table does not say. */
function sizeOf({ size, kind, address }: ElfSymbol): number | undefined {
  if (size > 0n) return Number(size < 1n << 24n ? size : 1n << 24n);
  // Aliases that the linker script makes (Linux's jiffies) have no size: a word, where one may lie.
  return kind === 'object' && address % 8n === 0n ? 8 : undefined;
}

function variable(module: Module, info: VariableInfo): NamedEntity {
  return { kind: 'variable', store: module.store, type: info.type, location: info.location, loadBias: module.bias };
}

/** Parameters, then the variables of all blocks, those that hide others first; a hidden one is left out. */
export function visibleVariables(scopes: FrameScopes | undefined): readonly VariableInfo[] {
  if (scopes === undefined) return [];
  const seen = new Set<string>();
  const add = (list: readonly VariableInfo[]): VariableInfo[] =>
    list.filter((one) => {
      if (one.artificial || one.name === '' || seen.has(one.name)) return false;
      seen.add(one.name);
      return true;
    });
  const blocks = scopes.blocks.map(({ variables }) => add(variables));
  return [...add(scopes.parameters), ...blocks.reverse().flat()];
}
