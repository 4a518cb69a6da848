/** Variables as a tree whose branches are computed when they are opened. No protocol words here. */
import type { SlotRow } from '../guestdebug/api.ts';
import { hexadecimal } from './bits.ts';
import type { Symbolize } from './format.ts';
import { childCounts, formatValue } from './format.ts';
import type { Register, RegisterGroup } from './registers.ts';
import { describeFlags, registerNamed, registersOf } from './registers.ts';
import { withTypes } from './types.ts';
import type { Value } from './value.ts';
import { addressOf, elementOf, memberOf, memoryValue, readScalar, toInteger } from './value.ts';

/** One row of a variables view. */
export interface VariableRow {
  readonly name: string;
  readonly text: string;
  readonly type?: string;
  /** C expression that names it from the same frame. */
  readonly evaluateName?: string;
  readonly named: number;
  readonly indexed: number;
  /** Linear address when it is in memory; for pointers, where they point. */
  readonly memory?: bigint;
  /** The object itself, for assignment and data breakpoints. */
  readonly value?: Value;
  readonly children?: Branch;
  readonly readOnly: boolean;
  readonly kind: 'data' | 'register' | 'virtual';
}

/** Something that can be unfolded. */
export interface Branch {
  /** Rows [start, start + count); all when count is absent. `filter` chooses between fields and elements. */
  rows(page: Page): Promise<readonly VariableRow[]>;
}

export interface Page {
  readonly filter?: 'named' | 'indexed' | undefined;
  readonly start?: number | undefined;
  readonly count?: number | undefined;
  readonly hexadecimal: boolean;
  readonly symbolize: Symbolize;
}

/** More rows than this are never made at once: clients page, and arrays of guests may claim any size. */
const PAGE_LIMIT = 10_000;

function clip<Item>(items: readonly Item[], page: Page): readonly Item[] {
  const start = page.start ?? 0;
  const count = page.count === undefined || page.count === 0 ? PAGE_LIMIT : Math.min(page.count, PAGE_LIMIT);
  return items.slice(start, start + count);
}

/** The row of a typed value. Types must be complete enough: wrap in `withTypes`. */
export function rowOf(name: string, value: Value, page: Page, evaluateName?: string): VariableRow {
  const { store } = value;
  const type = store.strip(value.type);
  const text = formatValue(value, page);
  const readable = !text.startsWith('<') || text.startsWith('<incomplete');
  const counts = readable ? childCounts(store, type, value.type) : { named: 0, indexed: 0 };
  let memory = addressOf(value);
  if (type.kind === 'pointer' && readable) memory = toInteger(readScalar(value));
  const hasChildren = counts.named + counts.indexed > 0;
  return {
    name,
    text,
    type: store.nameOf(value.type),
    ...(evaluateName === undefined ? {} : { evaluateName }),
    ...counts,
    ...(memory === undefined ? {} : { memory }),
    value,
    ...(hasChildren ? { children: valueBranch(value, evaluateName) } : {}),
    readOnly:
      !readable || type.kind === 'struct' || type.kind === 'union' || type.kind === 'array' || type.kind === 'function',
    kind: 'data',
  };
}

/** Members, elements or the object pointed to. */
export function valueBranch(value: Value, evaluateName: string | undefined): Branch {
  return { rows: (page) => withTypes(() => childRows(value, evaluateName, page)) };
}

function childRows(value: Value, evaluateName: string | undefined, page: Page, via = '.'): readonly VariableRow[] {
  const { store } = value;
  const type = store.strip(value.type);
  const base = evaluateName === undefined ? undefined : parenthesized(evaluateName);
  switch (type.kind) {
    case 'struct':
    case 'union':
    case 'class': {
      if (page.filter === 'indexed') return [];
      return clip(type.members, page).map((member) => {
        const name = member.name ?? `<anonymous ${store.strip(member.type).kind}>`;
        // Members of an anonymous struct are members of the one around it.
        const path = base === undefined || member.name === null ? evaluateName : `${base}${via}${member.name}`;
        return rowOf(name, memberOf(value, member), page, path);
      });
    }
    case 'array': {
      if (page.filter === 'named') return [];
      const count = type.dimensions[0]?.count ?? 0;
      const start = Math.max(0, page.start ?? 0);
      const wanted = page.count === undefined || page.count === 0 ? PAGE_LIMIT : Math.min(page.count, PAGE_LIMIT);
      const rows: VariableRow[] = [];
      for (let i = start; i < Math.min(count, start + wanted); i++) {
        rows.push(rowOf(`[${i}]`, elementOf(value, i), page, base === undefined ? undefined : `${base}[${i}]`));
      }
      return rows;
    }
    case 'pointer': {
      if (page.filter === 'indexed') return [];
      const address = toInteger(readScalar(value));
      const target = memoryValue(store, type.target, address, value.context);
      const inner = store.strip(type.target);
      const aggregate = inner.kind === 'struct' || inner.kind === 'union' || inner.kind === 'class';
      // A pointer to a struct unfolds straight into the members.
      if (aggregate && !inner.incomplete) return childRows(target, evaluateName, page, '->');
      const name = evaluateName === undefined ? '*' : `*${evaluateName}`;
      return [rowOf(name, target, page, base === undefined ? undefined : `*${base}`)];
    }
    default:
      return [];
  }
}

function parenthesized(expression: string): string {
  return /^[\w$.[\]]+$|^\(.*\)$/.test(expression) ? expression : `(${expression})`;
}

/** How registers are read and written: a frame's, or a vCPU's. */
export interface RegisterAccess {
  read(register: Register): bigint | undefined;
}

/** Rows of a register group. */
export function registerBranch(
  group: RegisterGroup,
  access: RegisterAccess,
  describe: (register: Register, value: bigint) => string,
): Branch {
  return {
    rows: (page) => {
      const registers = group === 'general' ? [...registersOf('general'), ...registersOf('flags')] : registersOf(group);
      const rows = clip(registers, page).map((register) => registerRow(register, access, describe));
      return Promise.resolve(page.filter === 'indexed' ? [] : rows);
    },
  };
}

function registerRow(
  register: Register,
  access: RegisterAccess,
  describe: (register: Register, value: bigint) => string,
): VariableRow {
  const value = access.read(register);
  const common = {
    name: register.name,
    evaluateName: `$${register.name}`,
    named: 0,
    indexed: 0,
    kind: 'register' as const,
  };
  if (value === undefined) return { ...common, text: '<not saved in this frame>', readOnly: true };
  const digits = Math.ceil(register.bits / 4);
  const note = register.name === 'rflags' ? describeFlags(value) : describe(register, value);
  const text = `${hexadecimal(value, register.group === 'segment' || register.bits < 64 ? Math.min(digits, 4) : digits)}${note === '' ? '' : ` ${note}`}`;
  const points = register.group === 'general' && value >= 0x1000n;
  return { ...common, text, ...(points ? { memory: value } : {}), readOnly: false };
}

/** Rows of the debug registers of both banks: eight slots, then the guest's DR6 and DR7. */
export function debugRegisterBranch(
  slots: () => readonly SlotRow[],
  access: RegisterAccess,
  describe: (address: bigint) => string,
): Branch {
  return {
    rows: (page) => {
      const rows: VariableRow[] = slots().map((slot) => ({
        name: `${slot.bank} DR${slot.index}`,
        text: slotText(slot, describe),
        ...(slot.bank === 'guest' ? { evaluateName: `$dr${slot.index}` } : {}),
        memory: slot.address,
        named: 0,
        indexed: 0,
        readOnly: slot.bank === 'host',
        kind: 'register' as const,
      }));
      for (const name of ['dr6', 'dr7']) {
        const register = registerNamed(name);
        if (register !== undefined)
          rows.push({ ...registerRow(register, access, () => ''), name: `guest ${name.toUpperCase()}` });
      }
      return Promise.resolve(page.filter === 'indexed' ? [] : clip(rows, page));
    },
  };
}

/** A slot in words: `write 8 bytes at 0x1000 <jiffies>, 3 hits`. */
export function slotText(slot: SlotRow, describe: (address: bigint) => string): string {
  if (!slot.enabled)
    return slot.bank === 'host' && slot.references === 0 ? 'free' : `off (${hexadecimal(slot.address)})`;
  const kinds = { execute: 'execute', write: 'write', readWrite: 'read/write', io: 'I/O' } as const;
  const bytes = `${slot.length} ${slot.length === 1 ? 'byte' : 'bytes'}`;
  return `${kinds[slot.type]} ${bytes} at ${hexadecimal(slot.address)}${describe(slot.address)}, ${slot.hits} ${slot.hits === 1 ? 'hit' : 'hits'}`;
}

/** Several rows under one heading that computes them when it is opened. */
export function listBranch(make: (page: Page) => readonly VariableRow[] | Promise<readonly VariableRow[]>): Branch {
  return { rows: async (page) => (page.filter === 'indexed' ? [] : clip(await make(page), page)) };
}
