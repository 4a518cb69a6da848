/**
 * The types of one symbol file as the debugger's own thread sees them: fetched from the symbol worker once, then used
 * synchronously, with synthetic types (pointers and arrays that an expression makes, C's base types) beside them.
 */
import type { BaseTypeEncoding, EnumType, StructType, SymbolFile, Type, TypeId } from '../symbols/index.ts';
import { voidType } from '../symbols/index.ts';

/** Thrown by synchronous code that meets a type that was not fetched yet; `withTypes` fetches it and tries again. */
export class MissingType extends Error {
  readonly store: TypeStore;
  readonly id: TypeId;

  constructor(store: TypeStore, id: TypeId) {
    super(`Type ${id} was not fetched.`);
    this.name = 'MissingType';
    this.store = store;
    this.id = id;
  }
}

/** C's base types that expressions need though a program may lack them. */
export type BuiltinName =
  | 'char'
  | 'signed char'
  | 'unsigned char'
  | 'short'
  | 'unsigned short'
  | 'int'
  | 'unsigned int'
  | 'long'
  | 'unsigned long'
  | 'long long'
  | 'unsigned long long'
  | '__int128'
  | 'unsigned __int128'
  | '_Bool'
  | 'float'
  | 'double';

const builtins: Readonly<Record<BuiltinName, readonly [number, BaseTypeEncoding]>> = {
  char: [1, 'signedChar'],
  'signed char': [1, 'signedChar'],
  'unsigned char': [1, 'unsignedChar'],
  short: [2, 'signed'],
  'unsigned short': [2, 'unsigned'],
  int: [4, 'signed'],
  'unsigned int': [4, 'unsigned'],
  long: [8, 'signed'],
  'unsigned long': [8, 'unsigned'],
  'long long': [8, 'signed'],
  'unsigned long long': [8, 'unsigned'],
  __int128: [16, 'signed'],
  'unsigned __int128': [16, 'unsigned'],
  _Bool: [1, 'boolean'],
  float: [4, 'float'],
  double: [8, 'float'],
};

/** Synthetic ids of this store count down from here: far away from ids that the symbol worker's own table makes. */
const FIRST_SYNTHETIC = -1_000_000;

export class TypeStore {
  private readonly known = new Map<TypeId, Type>();
  private readonly file: Pick<SymbolFile, 'types'>;
  private readonly pointerSize: 4 | 8;
  private readonly synthetic = new Map<string, TypeId>();
  private readonly untypedIds = new Set<TypeId>();
  private nextSynthetic = FIRST_SYNTHETIC;

  constructor(file: Pick<SymbolFile, 'types'>, pointerSize: 4 | 8) {
    this.file = file;
    this.pointerSize = pointerSize;
    this.known.set(voidType, { kind: 'void', id: voidType, name: 'void', byteSize: null });
  }

  /** Size of a pointer of the described program in bytes. */
  get wordSize(): 4 | 8 {
    return this.pointerSize;
  }

  /** The type of an id. Throws `MissingType` when it was not fetched. */
  get(id: TypeId): Type {
    const type = this.known.get(id);
    if (type === undefined) throw new MissingType(this, id);
    return type;
  }

  /** Fetches types and what they contain by value. An id that does not exist becomes an unspecified type. */
  async load(ids: readonly TypeId[]): Promise<void> {
    const missing = ids.filter((id) => !this.known.has(id));
    if (missing.length === 0) return;
    for (const type of await this.file.types(missing)) this.known.set(type.id, type);
    for (const id of missing) {
      if (!this.known.has(id)) this.known.set(id, { kind: 'unspecified', id, name: '<unknown type>', byteSize: null });
    }
  }

  /** The type without typedefs and qualifiers. */
  strip(id: TypeId): Type {
    let type = this.get(id);
    // Damaged input may chain typedefs in a circle.
    for (let depth = 0; depth < 64 && (type.kind === 'typedef' || type.kind === 'qualified'); depth++) {
      type = this.get(type.target);
    }
    return type;
  }

  /** Size of an object of the type in bytes; undefined for void, functions and incomplete types. */
  sizeOf(id: TypeId): number | undefined {
    const type = this.get(id);
    if (type.byteSize !== null) return type.byteSize;
    const stripped = this.strip(id);
    return stripped.byteSize ?? undefined;
  }

  nameOf(id: TypeId): string {
    return this.get(id).name;
  }

  private add(key: string, make: (id: TypeId) => Type): TypeId {
    const existing = this.synthetic.get(key);
    if (existing !== undefined) return existing;
    const id = this.nextSynthetic--;
    // `make` may miss a type that has to be fetched first: a type that was not made has no entry.
    this.known.set(id, make(id));
    this.synthetic.set(key, id);
    return id;
  }

  builtin(name: BuiltinName): TypeId {
    const [size, encoding] = builtins[name];
    const byteSize = (name === 'long' || name === 'unsigned long') && this.pointerSize === 4 ? 4 : size;
    return this.add(`builtin ${name}`, (id) => ({ kind: 'base', id, name, byteSize, encoding }));
  }

  /** An unsigned integer type of 1, 2, 4, 8 or 16 bytes. */
  unsignedOf(bytes: number): TypeId {
    if (bytes <= 1) return this.builtin('unsigned char');
    if (bytes <= 2) return this.builtin('unsigned short');
    if (bytes <= 4) return this.builtin('unsigned int');
    return bytes <= 8 ? this.builtin('unsigned long long') : this.builtin('unsigned __int128');
  }

  /**
   * What a symbol designates that no debugging information describes: a number where its size is one's, else bytes;
   * undefined: not even the size is known. It can be shown, and its address can be cast, but it has no elements and no
   * members: see `isUntyped`.
   */
  untyped(size: number | undefined): TypeId {
    const id = this.add(`untyped ${size}`, (newId): Type => {
      if (size === undefined) return { kind: 'unspecified', id: newId, name: '<no type>', byteSize: null };
      const common = { id: newId, name: `<no type, ${size} byte${size === 1 ? '' : 's'}>`, byteSize: size };
      if (size === 1 || size === 2 || size === 4 || size === 8)
        return { kind: 'base', ...common, encoding: 'unsigned' };
      const dimensions = [{ count: size, lowerBound: 0 }];
      return { kind: 'array', ...common, element: this.builtin('unsigned char'), dimensions, vector: false };
    });
    this.untypedIds.add(id);
    return id;
  }

  /** Whether a type only stands for what is not described: nothing may be computed that depends on what it really is. */
  isUntyped(id: TypeId): boolean {
    return this.untypedIds.has(id);
  }

  pointerTo(target: TypeId): TypeId {
    return this.add(`pointer ${target}`, (id) => {
      const name = pointerName(this.get(target).name);
      return { kind: 'pointer', id, name, byteSize: this.pointerSize, target, reference: false };
    });
  }

  arrayOf(element: TypeId, count: number): TypeId {
    return this.add(`array ${element} ${count}`, (id) => {
      const size = this.sizeOf(element);
      const byteSize = size === undefined ? null : size * count;
      const dimensions = [{ count, lowerBound: 0 }];
      const name = `${this.get(element).name} [${count}]`;
      return { kind: 'array', id, name, byteSize, element, dimensions, vector: false };
    });
  }

  /** The type of an array's element: one dimension less, or the innermost element. */
  elementOf(id: TypeId): TypeId | undefined {
    const array = this.strip(id);
    if (array.kind !== 'array') return undefined;
    const rest = array.dimensions.slice(1);
    if (rest.length === 0) return array.element;
    return this.add(`rest ${array.id}`, (newId) => {
      const element = this.sizeOf(array.element);
      let byteSize: number | null = element ?? null;
      for (const { count } of rest) byteSize = byteSize === null || count === null ? null : byteSize * count;
      const bounds = rest.map(({ count }) => `[${count ?? ''}]`).join('');
      const name = `${this.get(array.element).name} ${bounds}`;
      return { kind: 'array', id: newId, name, byteSize, element: array.element, dimensions: rest, vector: false };
    });
  }

  /** The type of a function that the program defines: as its description says, named `int (struct node *, ...)`. */
  async functionTyped(id: TypeId): Promise<TypeId> {
    await this.load([id]);
    const described = this.get(id);
    if (described.kind !== 'function') return this.functionReturning(voidType);
    const { returnType, parameters, variadic, prototyped } = described;
    await this.load([returnType, ...parameters]);
    return this.add(`function of ${id}`, (newId) => {
      const names = parameters.map((parameter) => this.get(parameter).name);
      if (variadic) names.push('...');
      // Without parameters it matters in C whether that was said: ISO C 6.7.6.3.
      const list = names.length === 0 && prototyped ? 'void' : names.join(', ');
      const name = `${this.get(returnType).name} (${list})`;
      return { kind: 'function', id: newId, name, byteSize: null, returnType, parameters, variadic, prototyped };
    });
  }

  /** The type of a function of which only what it returns is known. */
  functionReturning(returnType: TypeId): TypeId {
    return this.add(`function ${returnType}`, (id) => {
      const name = `${this.get(returnType).name} ()`;
      const rest = { parameters: [], variadic: false, prototyped: false };
      return { kind: 'function', id, name, byteSize: null, returnType, ...rest };
    });
  }
}

/** `struct node` -> `struct node *`; `int (int)` -> `int (*)(int)`; `int [4]` -> `int (*)[4]`. */
function pointerName(target: string): string {
  const function_ = /^(.*) \((?!\*)(.*)\)$/s.exec(target);
  if (function_ !== null) return `${function_[1]} (*)(${function_[2]})`;
  const array = /^(.*) (\[.*\])$/s.exec(target);
  if (array !== null) return `${array[1]} (*)${array[2]}`;
  return target.endsWith('*') ? `${target}*` : `${target} *`;
}

/** Runs synchronous work on types; what it misses is fetched, then it runs again. */
export async function withTypes<Result>(work: () => Result): Promise<Result> {
  // Each round brings at least one new type, so this ends; the bound is for damaged type graphs.
  for (let round = 0; round < 1000; round++) {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof MissingType)) throw error;
      await error.store.load([error.id]);
    }
  }
  throw new Error('internal error: the types of an expression never became complete');
}

export type { EnumType, StructType };
