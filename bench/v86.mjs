// Runs a Multiboot kernel under v86 (the npm package) and passes its serial port on. usage: v86.mjs KERNEL jit|interpreter
import { readFileSync, writeSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const folder = path.dirname(createRequire(import.meta.url).resolve('v86/build/libv86.mjs'));
const { V86 } = await import(path.join(folder, 'libv86.mjs'));
const kernel = readFileSync(process.argv[2]);
const emulator = new V86({
  wasm_path: path.join(folder, 'v86.wasm'),
  memory_size: 128 << 20,
  multiboot: { buffer: kernel.buffer.slice(kernel.byteOffset, kernel.byteOffset + kernel.length) },
  disable_jit: process.argv[3] === 'interpreter',
  disable_keyboard: true,
  disable_mouse: true,
  disable_speaker: true,
  autostart: true,
});
emulator.add_listener('serial0-output-byte', (byte) => writeSync(1, Buffer.of(byte)));
