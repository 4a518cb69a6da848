// Residual code before it is bytes: nested lists, with scopes and branches whose depths are found when they are written.

/** WebAssembly value types and the empty block type. */
export const I32 = 0x7f;
export const I64 = 0x7e;
export const V128 = 0x7b;
export const VOID = 0x40;

/** A branch target: its identity is the object. */
export interface Label {
  readonly name: string;
}
export interface Scope {
  readonly kind: 'scope';
  /** 2 block, 3 loop, 4 if. */
  readonly op: 2 | 3 | 4;
  readonly type: number;
  readonly label: Label | undefined;
  readonly body: Rope;
}
export interface Branch {
  readonly kind: 'branch';
  readonly label: Label;
}
export interface BranchTable {
  readonly kind: 'table';
  /** The default last. */
  readonly labels: readonly Label[];
}
/** A place on a way to a label where moves and the branch itself are filled in when all ways are known. */
export interface Way {
  readonly kind: 'way';
  readonly code: Rope;
}
export type RopeItem = number | Rope | Scope | Branch | BranchTable | Way;
export interface Rope extends Array<RopeItem> {
  /** Set on the rope of a `select` so that a jump to one of two static places becomes two branches. */
  select?: { readonly yes: Value; readonly no: Value; readonly condition: Rope };
}
/** What an expression evaluates to: a constant (i32 as number, i64 as bigint), code that leaves the value, or nothing. */
export type Value = number | bigint | Rope | undefined;

export const isStatic = (value: Value): value is number | bigint =>
  typeof value === 'number' || typeof value === 'bigint';

export function unsignedLeb(value: number): number[] {
  const out: number[] = [];
  let rest = value >>> 0;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    out.push(rest !== 0 ? low | 0x80 : low);
  } while (rest !== 0);
  return out;
}
export function signedLeb(value: bigint): number[] {
  const out: number[] = [];
  let rest = value;
  for (;;) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    if ((rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0)) return [...out, low];
    out.push(low | 0x80);
  }
}
/** i32.const or i64.const. */
export const constant = (value: number | bigint): Rope =>
  typeof value === 'number' ? [0x41, ...signedLeb(BigInt(value | 0))] : [0x42, ...signedLeb(BigInt.asIntN(64, value))];
export const codeOf = (value: Value): Rope => (value === undefined ? [] : isStatic(value) ? constant(value) : value);

export const getLocal = (index: number): Rope => [0x20, ...unsignedLeb(index)];
export const setLocal = (index: number): Rope => [0x21, ...unsignedLeb(index)];
export const block = (label: Label, body: Rope): Scope => ({ kind: 'scope', op: 2, type: VOID, label, body });
export const loop = (label: Label, body: Rope): Scope => ({ kind: 'scope', op: 3, type: VOID, label, body });
export const when = (body: Rope, otherwise?: Rope): Scope => ({
  kind: 'scope',
  op: 4,
  type: VOID,
  label: undefined,
  body: otherwise === undefined ? body : [body, 0x05, otherwise],
});
export const branch = (label: Label): Branch => ({ kind: 'branch', label });

/** Appends a rope's bytes; branch depths come from the scopes around them. */
export function flatten(rope: Rope, out: number[] = []): number[] {
  const labels: (Label | undefined)[] = [];
  const depth = (label: Label): number => {
    const at = labels.lastIndexOf(label);
    if (at < 0) throw new Error(`internal error: label ${label.name} is not in scope`);
    return labels.length - 1 - at;
  };
  const write = (item: RopeItem): void => {
    if (typeof item === 'number') out.push(item);
    else if (Array.isArray(item)) for (const part of item) write(part);
    else if (item.kind === 'scope') {
      out.push(item.op, item.type);
      labels.push(item.label);
      write(item.body);
      labels.pop();
      out.push(0x0b);
    } else if (item.kind === 'way') write(item.code);
    else if (item.kind === 'branch') out.push(0x0c, ...unsignedLeb(depth(item.label)));
    else {
      out.push(0x0e, ...unsignedLeb(item.labels.length - 1));
      for (const label of item.labels) out.push(...unsignedLeb(depth(label)));
    }
  };
  write(rope);
  return out;
}

/** A module with one exported function `region` (i32) -> (), importing the memory as e.m. locals: pairs of count and type. */
export function regionModule(locals: readonly (readonly [number, number])[], body: Rope): Uint8Array {
  const section = (id: number, bytes: readonly number[]): number[] => [id, ...unsignedLeb(bytes.length), ...bytes];
  const name = (text: string): number[] => [text.length, ...new TextEncoder().encode(text)];
  const declared = locals.filter(([count]) => count > 0);
  const code = [...unsignedLeb(declared.length), ...declared.flatMap(([count, type]) => [...unsignedLeb(count), type])];
  flatten(body, code);
  code.push(0x0b);
  const head = [
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [1, 0x60, 1, I32, 0]),
    ...section(2, [1, ...name('e'), ...name('m'), 2, 0, 1]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...name('region'), 0, 0]),
  ];
  const size = unsignedLeb(code.length);
  const codeSection = [10, ...unsignedLeb(1 + size.length + code.length), 1, ...size];
  const bytes = new Uint8Array(head.length + codeSection.length + code.length);
  bytes.set(head);
  bytes.set(codeSection, head.length);
  bytes.set(code, head.length + codeSection.length);
  return bytes;
}
