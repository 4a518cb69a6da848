// Bytes of a serial line as text for a terminal, and back.

/** Text kept for a terminal that is opened (again) later, in characters. */
const KEPT = 256 * 1024;

const fromBase64 = (data: string): Uint8Array => Uint8Array.from(atob(data), (character) => character.charCodeAt(0));

/** What was typed, as base64 of its UTF-8 bytes. */
export function toBase64(text: string): string {
  return btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(''));
}

/** Turns what a guest sends (UTF-8, lines ended as it likes) into what a terminal shows. */
export class SerialText {
  #decoder = new TextDecoder();
  #last = '';
  #kept = '';

  /** Everything so far, as far as it is kept. */
  get kept(): string {
    return this.#kept;
  }

  get atLineStart(): boolean {
    return this.#last === '' || this.#last === '\n';
  }

  /** The text of some more bytes (base64); a character may be cut in two by their end. */
  decode(data: string): string {
    return this.add(this.#decoder.decode(fromBase64(data), { stream: true }));
  }

  /** Text of our own, or what was decoded: a line feed alone begins a new line, as a terminal driver does it. */
  add(text: string): string {
    let out = '';
    for (const character of text) {
      out += character === '\n' && this.#last !== '\r' ? '\r\n' : character;
      this.#last = character;
    }
    this.#kept = (this.#kept + out).slice(-KEPT);
    return out;
  }
}
