/** A file's types in the debugger's thread: fetched once, then at hand synchronously; and types made on the way. */

import { voidType, type SymbolFile, type Type, type TypeId } from './api.ts';

export class TypeTable {
  readonly #file: Pick<SymbolFile, 'elf' | 'types'>;
  readonly #types = new Map<TypeId, Type>();
  readonly #made = new Map<string, Type>();
  #lastMade = 0;

  constructor(file: Pick<SymbolFile, 'elf' | 'types'>) {
    this.#file = file;
    this.#types.set(voidType, { kind: 'void', id: voidType, name: 'void', byteSize: null });
  }

  /** The type, if it was loaded. */
  get(id: TypeId): Type | undefined {
    return this.#types.get(id);
  }

  /**
   * The type, fetched when it is not at hand. Everything it contains by value is at hand afterwards; what is behind
   * its pointers may be, and is loaded in the same way.
   *
   * @returns undefined when the id stands for no type
   */
  async load(id: TypeId): Promise<Type | undefined> {
    const known = this.#types.get(id);
    if (known !== undefined) return known;
    for (const type of await this.#file.types([id])) this.#types.set(type.id, type);
    return this.#types.get(id);
  }

  /** The type without typedefs and qualifiers, if all of them are at hand. */
  resolve(id: TypeId): Type | undefined {
    let type = this.#types.get(id);
    // A chain longer than this only occurs in damaged files, as a cycle.
    for (let hops = 0; hops < 64 && (type?.kind === 'typedef' || type?.kind === 'qualified'); hops++) {
      type = this.#types.get(type.target);
    }
    return type?.kind === 'typedef' || type?.kind === 'qualified' ? undefined : type;
  }

  /** `T *` for a type that is at hand (or void). */
  pointerTo(target: TypeId): Type {
    const name = this.#types.get(target)?.name ?? '?';
    return this.#make(`pointer ${target}`, (id) => ({
      kind: 'pointer',
      id,
      name: name.endsWith('*') ? `${name}*` : declare(name, '*'),
      byteSize: this.#file.elf.pointerSize,
      target,
      reference: false,
    }));
  }

  /** `T [count]` for a type that is at hand. */
  arrayOf(element: TypeId, count: number): Type {
    const type = this.#types.get(element);
    const size = type?.byteSize ?? null;
    return this.#make(`array ${element} ${count}`, (id) => ({
      kind: 'array',
      id,
      name: `${type?.name ?? '?'} [${count}]`,
      byteSize: size === null ? null : size * count,
      element,
      dimensions: [{ count, lowerBound: 0 }],
      vector: false,
    }));
  }

  /** A base type that the program need not contain, for literals and results of operators. */
  baseType(name: string, byteSize: number, encoding: 'signed' | 'unsigned' | 'float' | 'boolean' | 'signedChar'): Type {
    return this.#make(`base ${name} ${byteSize} ${encoding}`, (id) => ({ kind: 'base', id, name, byteSize, encoding }));
  }

  #make(key: string, build: (id: TypeId) => Type): Type {
    let type = this.#made.get(key);
    if (type === undefined) {
      type = build(--this.#lastMade);
      this.#made.set(key, type);
      this.#types.set(type.id, type);
    }
    return type;
  }
}

/** Puts a star where C wants it: before the dimensions of an array, the parameters of a function. */
function declare(name: string, star: string): string {
  const at = name.search(/ [[(]/);
  return at < 0 ? `${name} ${star}` : `${name.slice(0, at)} (${star})${name.slice(at + 1)}`;
}
