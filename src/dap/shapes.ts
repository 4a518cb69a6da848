/**
 * Shapes of arguments: each checks one value of a client's and gives what a handler works with. A value that does not fit
 * is refused with a sentence that names where it stands, what is wanted and what came.
 */
import type { Client } from './client.ts';
import { ProtocolError } from './errors.ts';

/** Where a value stands: `breakpoints[0].line` of a request, from a client that counts in its own way. */
export class Place {
  readonly command: string;
  readonly client: Client;
  private readonly name: string;

  constructor(command: string, client: Client, name = '') {
    this.command = command;
    this.client = client;
    this.name = name;
  }
  field(name: string): Place {
    return new Place(this.command, this.client, this.name === '' ? name : `${this.name}.${name}`);
  }
  element(index: number): Place {
    return new Place(this.command, this.client, `${this.name}[${index}]`);
  }
  /** @param wanted such as `a string` @param given told when the kind of value is right and the value is not */
  refuse(wanted: string, given?: unknown): never {
    const what =
      this.name === '' ? `The arguments of '${this.command}'` : `'${this.name}' in the arguments of '${this.command}'`;
    const came =
      given === undefined ? '' : `, not ${typeof given === 'string' ? `'${given.slice(0, 60)}'` : String(given)}`;
    throw new ProtocolError('badArguments', `${what} must be ${wanted}${came}.`);
  }
  missing(): never {
    throw new ProtocolError('badArguments', `'${this.name}' is missing in the arguments of '${this.command}'.`);
  }
}

export interface Shape<Value> {
  readonly read: (given: unknown, place: Place) => Value;
  /** Gives `undefined` for what is absent; without it, absence is refused. */
  readonly optional?: true;
}
/** What a handler gets for a shape. */
export type Read<S> = S extends Shape<infer Value> ? Value : never;

type Fields = Readonly<Record<string, Shape<unknown>>>;
type ReadFields<F extends Fields> = { readonly [Name in keyof F]: Read<F[Name]> };

export const text: Shape<string> = {
  read: (given, place) => (typeof given === 'string' ? given : place.refuse('a string')),
};
export const flag: Shape<boolean> = {
  read: (given, place) => (typeof given === 'boolean' ? given : place.refuse('a boolean')),
};

/** A whole number between two limits, both included. */
export function integer(
  least: number = Number.MIN_SAFE_INTEGER,
  most: number = Number.MAX_SAFE_INTEGER,
): Shape<number> {
  const range =
    most < Number.MAX_SAFE_INTEGER
      ? ` from ${least} to ${most}`
      : least > Number.MIN_SAFE_INTEGER
        ? ` from ${least} on`
        : '';
  return {
    read(given, place) {
      if (typeof given !== 'number') return place.refuse('a number');
      const fits = Number.isSafeInteger(given) && given >= least && given <= most;
      return fits ? given : place.refuse(`a whole number${range}`, given);
    },
  };
}

/** Largest number of the protocol's references and ids. */
export const INT32_MAX = 2 ** 31 - 1;
/** A number that this adapter gave out: of a thread, a frame, variables, a listing. */
export const id = integer(0, INT32_MAX);

/** A line or a column of the client's, as the adapter counts: from 1. */
export const line: Shape<number> = {
  read: (given, place) => place.client.ourLine(integer(place.client.firstLine, INT32_MAX).read(given, place)),
};
export const column: Shape<number> = {
  read: (given, place) => place.client.ourColumn(integer(place.client.firstColumn, INT32_MAX).read(given, place)),
};

/** Hexadecimal or decimal text of at most 64 bits; undefined for anything else. */
export function parseAddress(written: string): bigint | undefined {
  const clean = written.trim();
  if (!/^(0[xX][0-9a-fA-F]{1,16}|\d{1,20})$/.test(clean)) return undefined;
  const value = BigInt(clean);
  return value < 1n << 64n ? value : undefined;
}

/** A memory reference: a linear address as text. */
export const address: Shape<bigint> = {
  read: (given, place) =>
    parseAddress(text.read(given, place)) ?? place.refuse('an address such as 0xffffffff81000000', given),
};

/** One of some words. */
export function oneOf<Word extends string>(...words: readonly Word[]): Shape<Word> {
  return {
    read(given, place) {
      const found = words.find((word) => word === text.read(given, place));
      return found ?? place.refuse(words.join(' or '), given);
    },
  };
}

export function optional<Value>(shape: Shape<Value>): Shape<Value | undefined> {
  return { read: shape.read, optional: true };
}

export function list<Value>(of: Shape<Value>, kind: string): Shape<readonly Value[]> {
  return {
    read(given, place) {
      if (!Array.isArray(given)) return place.refuse(`a list of ${kind}`);
      return given.map((one: unknown, index) => of.read(one, place.element(index)));
    },
  };
}

export type JsonObject = Readonly<Record<string, unknown>>;
/** Any object: what is in it is checked by who uses it. */
export const anything: Shape<JsonObject> = {
  read: (given, place) => (isObject(given) ? withoutNulls(given, place, 0) : place.refuse('an object')),
};

/** An object with these fields; others are left out. */
export function record<F extends Fields>(fields: F): Shape<ReadFields<F>> {
  return {
    read(given, place) {
      if (!isObject(given)) return place.refuse('an object');
      const entries = Object.entries(fields).map(([name, shape]) => {
        const value = Object.hasOwn(given, name) ? given[name] : undefined;
        const at = place.field(name);
        // Some clients write null for what is absent.
        if (value !== undefined && value !== null) return [name, shape.read(value, at)];
        return shape.optional === true ? [name, undefined] : at.missing();
      });
      // The entries are those of `fields`, each read by its own shape.
      return Object.fromEntries(entries) as ReadFields<F>;
    },
  };
}

/** No argument of the protocol is nested as deep as this. */
const DEPTH_LIMIT = 64;

function withoutNulls(given: JsonObject, place: Place, depth: number): JsonObject {
  const clean = (value: unknown): unknown => {
    if (Array.isArray(value)) return nested(() => value.map(clean));
    return isObject(value) ? nested(() => withoutNulls(value, place, depth)) : value;
  };
  const nested = <Value>(work: () => Value): Value => {
    if (++depth > DEPTH_LIMIT) place.refuse(`nested at most ${DEPTH_LIMIT} deep`);
    const result = work();
    depth--;
    return result;
  };
  const entries = Object.entries(given).filter(([, value]) => value !== null);
  return Object.fromEntries(entries.map(([name, value]) => [name, clean(value)]));
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
