// The modules that regions are compiled in: several functions, one imported memory, and the pure functions that they call.
import { ByteBuffer } from './code.ts';
import { I32 } from './wasm-opcodes.ts';
import type { FunctionType } from './wasm-reader.ts';

export interface ImportedFunction {
  readonly name: string;
  readonly type: FunctionType;
}
const encoder = new TextEncoder();

/**
 * A module with functions r0, r1, ... (i32) -> () and these bodies. It imports the memory as e.m and functions from s by their
 * names; those have the function indices from 0 on. It never imports a table: V8 pays for each of its entries.
 */
export function writeModule(
  imports: readonly ImportedFunction[],
  bodies: readonly Uint8Array[],
): Uint8Array<ArrayBuffer> {
  const out = new ByteBuffer();
  const name = (text: string): number[] => [text.length, ...encoder.encode(text)];
  const section = (id: number, write: (part: ByteBuffer) => void): void => {
    const part = new ByteBuffer();
    write(part);
    out.byte(id);
    out.unsigned(part.length);
    out.put(part.view());
  };
  out.put([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]);
  section(1, (part) => {
    part.unsigned(1 + imports.length);
    part.put([0x60, 1, I32, 0]);
    for (const { type } of imports) {
      part.byte(0x60);
      for (const list of [type.parameters, type.results]) part.put([list.length, ...list]);
    }
  });
  section(2, (part) => {
    part.unsigned(1 + imports.length);
    part.put([...name('e'), ...name('m'), 2, 0, 1]);
    imports.forEach((imported, i) => {
      part.put([...name('s'), ...name(imported.name), 0]);
      part.unsigned(1 + i);
    });
  });
  section(3, (part) => {
    part.unsigned(bodies.length);
    for (let i = 0; i < bodies.length; i++) part.byte(0);
  });
  section(7, (part) => {
    part.unsigned(bodies.length);
    bodies.forEach((_, i) => {
      part.put([...name(`r${i}`), 0]);
      part.unsigned(imports.length + i);
    });
  });
  section(10, (part) => {
    part.unsigned(bodies.length);
    for (const body of bodies) {
      part.unsigned(body.length);
      part.put(body);
    }
  });
  return out.view();
}
