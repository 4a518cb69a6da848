/** Output of the guest's serial port and debug console on its way to the client: gathered, paced, never dropped. */
import type { EventSender } from './dispatcher.ts';

/** Milliseconds between two events, so that a chatty guest does not drown the client. */
const PACE = 16;
/** Bytes that are sent at once when they have gathered, whatever the pace. */
const FULL = 64 * 1024;

export interface SerialOptions {
  /** Whether the client understands trapline/serial; others get output events. */
  readonly terminal: boolean;
  now(): number;
}

export class SerialOutput {
  private readonly events: EventSender;
  private readonly options: SerialOptions;
  private gathered: Uint8Array[] = [];
  private size = 0;
  private sentAt = -Infinity;
  private readonly decoder = new TextDecoder();
  private readonly debugDecoder = new TextDecoder();
  private debugText = '';

  constructor(events: EventSender, options: SerialOptions) {
    this.events = events;
    this.options = options;
  }

  push(bytes: Uint8Array): void {
    this.gathered.push(bytes.slice());
    this.size += bytes.length;
    if (this.size >= FULL) this.flush();
  }
  pushDebugConsole(bytes: Uint8Array): void {
    this.debugText += this.debugDecoder.decode(bytes, { stream: true });
    if (this.debugText.length >= FULL) this.flush();
  }
  /** Called between slices. */
  pace(): void {
    if (this.size + this.debugText.length > 0 && this.options.now() - this.sentAt >= PACE) this.flush();
  }
  flush(): void {
    this.sentAt = this.options.now();
    if (this.debugText !== '') {
      this.events.event('output', { category: 'stdout', output: this.debugText });
      this.debugText = '';
    }
    if (this.size === 0) return;
    const all = new Uint8Array(this.size);
    let at = 0;
    for (const part of this.gathered) {
      all.set(part, at);
      at += part.length;
    }
    this.gathered = [];
    this.size = 0;
    if (this.options.terminal) this.events.event('trapline/serial', { data: toBase64(all) });
    else
      this.events.event('output', {
        category: 'stdout',
        output: this.decoder.decode(all, { stream: true }).replaceAll('\r\n', '\n'),
      });
  }
}

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Base64 (RFC 4648, 4) without help of the host, so that it runs in browsers and Node alike. */
export function toBase64(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b, c] = [bytes[i], bytes[i + 1], bytes[i + 2]];
    const bits = (a << 16) | ((b ?? 0) << 8) | (c ?? 0);
    const digit = (shift: number): string => alphabet.charAt((bits >> shift) & 63);
    parts.push(digit(18) + digit(12) + (b === undefined ? '=' : digit(6)) + (c === undefined ? '=' : digit(0)));
  }
  return parts.join('');
}

/** The bytes of a base64 string; undefined when it is none. */
export function fromBase64(text: string): Uint8Array | undefined {
  const clean = text.replace(/\s+/g, '');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(clean) || clean.length % 4 === 1) return undefined;
  const digits = clean.replace(/=+$/, '');
  const bytes = new Uint8Array(Math.floor((digits.length * 6) / 8));
  let bits = 0;
  let count = 0;
  let at = 0;
  for (const digit of digits) {
    bits = ((bits << 6) | alphabet.indexOf(digit)) & 0xffffff;
    count += 6;
    if (count >= 8) {
      count -= 8;
      bytes[at++] = (bits >> count) & 0xff;
    }
  }
  return bytes;
}
