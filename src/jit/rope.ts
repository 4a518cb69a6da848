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
/** Signed LEB128 of an i32. */
export function signedLeb32(value: number): number[] {
  const out: number[] = [];
  let rest = value | 0;
  for (;;) {
    const low = rest & 0x7f;
    rest >>= 7;
    if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) {
      out.push(low);
      return out;
    }
    out.push(low | 0x80);
  }
}
/** Signed LEB128 of an i64. */
export function signedLeb(value: bigint): number[] {
  if (value >= -0x40000000n && value < 0x40000000n) return signedLeb32(Number(value));
  const out: number[] = [];
  let rest = value;
  for (;;) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    if ((rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0)) {
      out.push(low);
      return out;
    }
    out.push(low | 0x80);
  }
}
/** i32.const or i64.const. */
export const constant = (value: number | bigint): Rope =>
  typeof value === 'number' ? [0x41, signedLeb32(value)] : [0x42, signedLeb(BigInt.asIntN(64, value))];
export const codeOf = (value: Value): Rope => (value === undefined ? [] : isStatic(value) ? constant(value) : value);

export const getLocal = (index: number): Rope => [0x20, unsignedLeb(index)];
export const setLocal = (index: number): Rope => [0x21, unsignedLeb(index)];
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

/** Bytes of growing length, without an array element per byte. */
class ByteBuffer {
  private bytes = new Uint8Array(4096);
  private length = 0;

  put(byte: number): void {
    if (this.length === this.bytes.length) {
      const larger = new Uint8Array(this.bytes.length * 2);
      larger.set(this.bytes);
      this.bytes = larger;
    }
    this.bytes[this.length++] = byte;
  }
  putUnsigned(value: number): void {
    let rest = value >>> 0;
    while (rest >= 0x80) {
      this.put((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.put(rest);
  }
  view(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }
}

/** Writes a rope; branch depths come from the scopes around them. */
function flatten(rope: Rope, out: ByteBuffer): void {
  const labels: (Label | undefined)[] = [];
  const putDepth = (label: Label): void => {
    const at = labels.lastIndexOf(label);
    if (at < 0) throw new Error(`internal error: label ${label.name} is not in scope`);
    out.putUnsigned(labels.length - 1 - at);
  };
  const writeAll = (items: Rope): void => {
    for (const item of items) {
      if (typeof item === 'number') out.put(item);
      else if (Array.isArray(item)) writeAll(item);
      else write(item);
    }
  };
  const write = (item: Scope | Branch | BranchTable | Way): void => {
    if (item.kind === 'scope') {
      out.put(item.op);
      out.put(item.type);
      labels.push(item.label);
      writeAll(item.body);
      labels.pop();
      out.put(0x0b);
    } else if (item.kind === 'way') writeAll(item.code);
    else if (item.kind === 'branch') {
      out.put(0x0c);
      putDepth(item.label);
    } else {
      out.put(0x0e);
      out.putUnsigned(item.labels.length - 1);
      for (const label of item.labels) putDepth(label);
    }
  };
  writeAll(rope);
}

/** A module with one exported function `region` (i32) -> (), importing the memory as e.m. locals: pairs of count and type. */
export function regionModule(locals: readonly (readonly [number, number])[], body: Rope): Uint8Array {
  const section = (id: number, bytes: readonly number[]): number[] => [id, ...unsignedLeb(bytes.length), ...bytes];
  const name = (text: string): number[] => [text.length, ...new TextEncoder().encode(text)];
  const declared = locals.filter(([count]) => count > 0);
  const buffer = new ByteBuffer();
  buffer.putUnsigned(declared.length);
  for (const [count, type] of declared) {
    buffer.putUnsigned(count);
    buffer.put(type);
  }
  flatten(body, buffer);
  buffer.put(0x0b);
  const code = buffer.view();
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
