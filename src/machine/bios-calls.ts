// This machine has no BIOS. Its interrupt table at 0 leads to a few instructions for each vector, so that a guest that tries a
// BIOS call in real mode is told so, in one message, and gets the answer "not supported" (AH=86h, CF set) instead of
// executing the table. They tell the host by a double word to a port: vector in bits 16-23, AX in bits 0-15.
import type { PortDevice } from './device.ts';
import { vectorName } from '../core/vector-names.ts';

/** Where the handlers are: in the firmware's part of the first MiB, which every memory map reserves. */
export const BIOS_HANDLERS = 0xf_c000;
const SEGMENT = 0xf000;
const VECTORS = 256;
const STRIDE = 32;
const PORT = 0xe4;

/** What the classic calls are for (Ralf Brown's Interrupt List). */
const SERVICES: Readonly<Record<number, string>> = {
  0x10: 'video',
  0x11: 'equipment list',
  0x12: 'memory size',
  0x13: 'disk',
  0x14: 'serial port',
  0x15: 'system',
  0x16: 'keyboard',
  0x17: 'printer',
  0x18: 'boot failure',
  0x19: 'boot',
  0x1a: 'clock',
};

const littleEndian = (value: number, size: number): number[] =>
  Array.from({ length: size }, (_, i) => (value >>> (8 * i)) & 0xff);

// The ends of handlers. Exceptions of real mode that cannot be returned from halt: returning would raise them again.
const HALT = [0xfa, 0xf4, 0xeb, 0xfd]; // cli; hlt; jmp to hlt
const ACKNOWLEDGE = [0x50, 0xb0, 0x20, 0xe6, 0x20, 0x58, 0xcf]; // push ax; EOI; pop ax; iret
const ACKNOWLEDGE_BOTH = [0x50, 0xb0, 0x20, 0xe6, 0xa0, 0xe6, 0x20, 0x58, 0xcf];
/** mov ah, 86h; CF in the FLAGS that IRET loads. */
const REFUSE = [0xb4, 0x86, 0x55, 0x89, 0xe5, 0x80, 0x4e, 0x06, 0x01, 0x5d, 0xcf];
type Ending = 'exception' | 'interrupt' | 'call';

/** Vectors 0-7 are exceptions; 8-F and 70-77 are the two PICs' on a PC (8-F exceptions too); the others calls. */
const endingOf = (vector: number): Ending =>
  vector < 8 ? 'exception' : vector < 0x10 || (vector & 0xf8) === 0x70 ? 'interrupt' : 'call';
function endingCode(vector: number): readonly number[] {
  const ending = endingOf(vector);
  if (ending === 'exception') return HALT;
  if (ending === 'call') return REFUSE;
  return vector < 0x10 ? ACKNOWLEDGE : ACKNOWLEDGE_BOTH;
}

/** The interrupt table of real mode (SDM 3A 21.1.4): offset and segment of each handler. For physical address 0. */
export function buildInterruptTable(): Uint8Array {
  const offset = BIOS_HANDLERS - SEGMENT * 16;
  const entries = Array.from({ length: VECTORS }, (_, vector) => [
    ...littleEndian(offset + vector * STRIDE, 2),
    ...littleEndian(SEGMENT, 2),
  ]);
  return Uint8Array.from(entries.flat());
}
/** The handlers, for physical address BIOS_HANDLERS. 16-bit code that changes what its ending says and nothing else. */
export function buildHandlers(): Uint8Array {
  const code = new Uint8Array(VECTORS * STRIDE);
  for (let vector = 0; vector < VECTORS; vector++) {
    const handler = [
      ...[0x66, 0x50], // push eax
      ...[0x66, 0x0f, 0xb7, 0xc0], // movzx eax, ax
      ...[0x66, 0x0d, ...littleEndian(vector << 16, 4)], // or eax, vector << 16
      ...[0x66, 0xe7, PORT], // out PORT, eax
      ...[0x66, 0x58], // pop eax
      ...endingCode(vector),
    ];
    code.set(handler, vector * STRIDE);
  }
  return code;
}

/** Hears the handlers and says which call it was. Without state: it is in no snapshot. */
export class BiosCalls implements PortDevice {
  readonly name = 'bios-calls';
  readonly ports = [{ first: PORT, count: 4 }];
  readonly portWidth = 4;
  private readonly say: (cause: string, text: string) => void;

  /** @param say gets a sentence, and what makes it the same as one that was said before. */
  constructor(say: (cause: string, text: string) => void) {
    this.say = say;
  }
  reset(): void {}
  readPort(_port: number, size: number): number {
    return 2 ** (8 * size) - 1; // nothing to read
  }
  writePort(port: number, size: number, value: number): void {
    if (port !== PORT || size !== 4) return; // not one of the handlers
    const vector = (value >>> 16) & 0xff;
    const ah = (value >>> 8) & 0xff;
    const hex = (byte: number): string => `${byte.toString(16).toUpperCase().padStart(2, '0')}h`;
    const ending = endingOf(vector);
    if (ending === 'call') {
      const service = SERVICES[vector];
      const what = `INT ${hex(vector)}, AH=${hex(ah)}${service === undefined ? '' : ` (${service})`}`;
      this.say(
        `bios ${vector} ${ah}`,
        `The guest called the BIOS: ${what}. There is none here; the call fails (CF set, AH=86h).`,
      );
    } else {
      const consequence =
        ending === 'exception' ? 'the processor halts' : 'it is acknowledged as an interrupt of the PIC';
      const name = vectorName(vector);
      const known = name.startsWith('vector') ? '' : ` (${name})`;
      this.say(
        `bios ${vector}`,
        `Vector ${hex(vector)}${known} came in real mode, and the guest has no handler of its own: ${consequence}.`,
      );
    }
  }
  save(): void {}
  restore(): void {}
}
