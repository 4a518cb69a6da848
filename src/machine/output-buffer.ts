// Bytes on their way to the host's console: whole lines where possible, so that a receiver is not called for each byte.

const CAPACITY = 256;
const NEWLINE = 0x0a;

export class OutputBuffer {
  private readonly emit: (bytes: Uint8Array) => void;
  private readonly pending = new Uint8Array(CAPACITY);
  private length = 0;

  constructor(emit: (bytes: Uint8Array) => void) {
    this.emit = emit;
  }
  put(byte: number): void {
    this.pending[this.length++] = byte;
    if (byte === NEWLINE || this.length === CAPACITY) this.flush();
  }
  flush(): void {
    if (this.length === 0) return;
    const bytes = this.pending.slice(0, this.length);
    this.length = 0;
    this.emit(bytes);
  }
}
