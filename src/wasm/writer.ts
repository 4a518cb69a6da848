// Modules of functions that share one type and one imported memory, and import other functions by name.
import { ByteBuffer } from './code.ts';
import type { FunctionType } from './reader.ts';

export interface ImportedFunction {
  readonly module: string;
  readonly name: string;
  readonly type: FunctionType;
}
export interface ModuleParts {
  /** Module and name that the memory is imported as. */
  readonly memory: readonly [string, string];
  /** They have the function indices from 0 on. */
  readonly imports: readonly ImportedFunction[];
  /** Of all bodies. */
  readonly type: FunctionType;
  /** Exported as their numbers: "0", "1", ... */
  readonly bodies: readonly Uint8Array[];
}
const encoder = new TextEncoder();

/** The bytes of a module. It never imports a table: V8 pays for each of its entries. */
export function writeModule({ memory, imports, type, bodies }: ModuleParts): Uint8Array<ArrayBuffer> {
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
    for (const { parameters, results } of [type, ...imports.map((imported) => imported.type)]) {
      part.byte(0x60);
      for (const list of [parameters, results]) part.put([list.length, ...list]);
    }
  });
  section(2, (part) => {
    part.unsigned(1 + imports.length);
    part.put([...name(memory[0]), ...name(memory[1]), 2, 0, 1]);
    imports.forEach((imported, i) => {
      part.put([...name(imported.module), ...name(imported.name), 0]);
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
      part.put([...name(String(i)), 0]);
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
