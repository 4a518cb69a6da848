// Cases and results as they go to and come from runner.c.

export const DATA_ADDRESS = 0x2000_0000;
export const DATA_SIZE = 0x4000;
export const CODE_ADDRESS = 0x3000_0800;
export const GS_BASE = 0x1000;
export const CASE_SIZE = 16 + 128 + 8 + 256 + 8 + 16 + 8;
const RESULT_SIZE = 16 + 128 + 16 + 256 + 8;

/** The state before one instruction. */
export interface Case {
  /** At most 15 bytes, at CODE_ADDRESS. */
  readonly code: Uint8Array;
  /** In the order of the encoding. */
  readonly registers: readonly bigint[];
  readonly flags: bigint;
  /** 16 registers of 16 bytes. */
  readonly xmm: Uint8Array;
  readonly mxcsr: number;
  /** 16 bytes of the data pages that differ from the usual contents. */
  readonly patchOffset: number;
  readonly patch: Uint8Array;
  /** 32: compatibility mode, with eight registers of 32 bits. */
  readonly codeSize: 32 | 64;
}

/** The state after it. */
export interface Result {
  /** 1: it retired; else the vector of its fault. */
  readonly vector: number;
  readonly error: number;
  /** CR2, meaningful with vector 14. */
  readonly address: bigint;
  readonly registers: readonly bigint[];
  readonly rip: bigint;
  readonly flags: bigint;
  readonly xmm: Uint8Array;
  readonly mxcsr: number;
  /** Quadwords of the data pages that changed, by offset. */
  readonly changes: ReadonlyMap<number, bigint>;
}

export function encodeCases(cases: readonly Case[], data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(data.length + cases.length * CASE_SIZE);
  const view = new DataView(bytes.buffer);
  bytes.set(data);
  cases.forEach((item, number) => {
    let at = data.length + number * CASE_SIZE;
    bytes.set(item.code, at);
    at += 16;
    for (const register of item.registers) {
      view.setBigUint64(at, register, true);
      at += 8;
    }
    view.setBigUint64(at, item.flags, true);
    bytes.set(item.xmm, at + 8);
    at += 8 + 256;
    view.setUint32(at, item.mxcsr, true);
    view.setUint32(at + 4, item.patchOffset, true);
    bytes.set(item.patch, at + 8);
    view.setUint32(at + 24, item.codeSize, true);
  });
  return bytes;
}

export function decodeResults(bytes: Uint8Array): Result[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const results: Result[] = [];
  let at = 0;
  while (at + RESULT_SIZE <= bytes.length) {
    const registersAt = at + 16;
    const behind = registersAt + 128;
    const changeCount = view.getUint32(behind + 16 + 256 + 4, true);
    const changes = new Map<number, bigint>();
    let entry = at + RESULT_SIZE;
    for (let i = 0; i < changeCount; i++, entry += 16)
      changes.set(Number(view.getBigUint64(entry, true)), view.getBigUint64(entry + 8, true));
    results.push({
      vector: view.getUint32(at, true),
      error: view.getUint32(at + 4, true),
      address: view.getBigUint64(at + 8, true),
      registers: Array.from({ length: 16 }, (_, i) => view.getBigUint64(registersAt + i * 8, true)),
      rip: view.getBigUint64(behind, true),
      flags: view.getBigUint64(behind + 8, true),
      xmm: bytes.slice(behind + 16, behind + 16 + 256),
      mxcsr: view.getUint32(behind + 16 + 256, true),
      changes,
    });
    at = entry;
  }
  return results;
}
