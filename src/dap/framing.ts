/**
 * Messages on a byte stream: `Content-Length: N`, an empty line, N bytes of JSON (DAP, base protocol). A stream that
 * breaks the rules gets one clear error for each break, and reading goes on behind it where that is possible; not so on a
 * strict stream, which may be anybody's: there a broken header is the end.
 */

/** Larger messages are refused; the largest real ones (disassembly, memory) stay far below. */
export const MESSAGE_LIMIT = 16 * 1024 * 1024;
/** A header has one or two short lines. */
const HEADER_LIMIT = 4096;

export type FrameError = {
  readonly code: 'badHeader' | 'badLength' | 'tooLarge' | 'badJson' | 'truncated';
  /** One sentence: what, where, what happens now. */
  readonly message: string;
  /** Nothing behind it is read. */
  readonly fatal?: true;
};
export type Frame =
  { readonly ok: true; readonly message: unknown } | { readonly ok: false; readonly error: FrameError };

const CARRIAGE_RETURN = 13;
const LINE_FEED = 10;

/** Takes bytes as they come and gives messages. */
export class FrameReader {
  private buffer = new Uint8Array(0);
  private used = 0;
  /** Bytes of a refused message that are still to be passed over. */
  private skip = 0;
  private expected: number | undefined;
  private readonly decoder = new TextDecoder('utf-8', { fatal: true });
  private readonly strict: boolean;
  private broken = false;

  /** @param options.strict a header that is broken, too long, or announces too much ends the stream */
  constructor(options: { readonly strict?: boolean } = {}) {
    this.strict = options.strict ?? false;
  }

  /** Messages that these bytes complete. */
  push(bytes: Uint8Array): readonly Frame[] {
    if (this.broken) return [];
    this.append(bytes);
    const frames: Frame[] = [];
    for (;;) {
      if (this.skip > 0) {
        const passed = Math.min(this.skip, this.used);
        this.consume(passed);
        this.skip -= passed;
        if (this.skip > 0) return frames;
      }
      if (this.expected === undefined) {
        const header = this.header();
        if (header === undefined) return frames;
        if (typeof header === 'object') {
          frames.push({ ok: false, error: header });
          if (header.fatal === true) return frames;
          continue;
        }
        this.expected = header;
      }
      if (this.used < this.expected) return frames;
      frames.push(this.body(this.expected));
      this.consume(this.expected);
      this.expected = undefined;
    }
  }

  /** The stream has ended: a message that is not whole is an error. */
  end(): readonly Frame[] {
    if (this.broken) return [];
    if (this.expected === undefined && this.used === 0 && this.skip === 0) return [];
    const missing = this.expected === undefined ? this.skip : this.expected - this.used;
    const message =
      missing > 0
        ? `The client went away in the middle of a message: ${missing} bytes are missing.`
        : 'The client went away in the middle of a header.';
    return [{ ok: false, error: { code: 'truncated', message } }];
  }

  private append(bytes: Uint8Array): void {
    // What is passed over anyway is not kept.
    const passed = this.used === 0 ? Math.min(this.skip, bytes.length) : 0;
    this.skip -= passed;
    const fresh = bytes.subarray(passed);
    if (this.used + fresh.length > this.buffer.length) {
      const larger = new Uint8Array(Math.max(this.used + fresh.length, this.buffer.length * 2, 1024));
      larger.set(this.buffer.subarray(0, this.used));
      this.buffer = larger;
    }
    this.buffer.set(fresh, this.used);
    this.used += fresh.length;
  }
  private consume(count: number): void {
    this.buffer.copyWithin(0, count, this.used);
    this.used -= count;
  }

  /** Length of the message behind a complete header, an error, or undefined when more bytes are needed. */
  private header(): number | FrameError | undefined {
    // Between messages, line ends are tolerated.
    let blank = 0;
    while (blank < this.used && (this.buffer[blank] === CARRIAGE_RETURN || this.buffer[blank] === LINE_FEED)) blank++;
    if (blank > 0) this.consume(blank);
    const end = this.endOfHeader();
    if (end === undefined) {
      if (this.used <= HEADER_LIMIT) return undefined;
      this.consume(this.used);
      return this.fault(
        'badHeader',
        `No header ends within ${HEADER_LIMIT} bytes; messages begin with 'Content-Length: N'.`,
        'What came is dropped.',
      );
    }
    const lines = String.fromCharCode(...this.buffer.subarray(0, end.text)).split(/\r?\n/);
    this.consume(end.next);
    const candidates = this.strict ? lines.slice(0, 1) : lines;
    const field = candidates
      .map((line) => /^content-length\s*:(.*)$/i.exec(line.trim()))
      .find((match) => match !== null);
    if (field === undefined) {
      return this.fault(
        'badHeader',
        `A header without Content-Length: '${(lines[0] ?? '').slice(0, 60)}'.`,
        'It is ignored.',
      );
    }
    const value = (field[1] ?? '').trim();
    if (!/^\d{1,15}$/.test(value)) {
      return this.fault(
        'badLength',
        `Content-Length is '${value.slice(0, 40)}', which is not a number of bytes.`,
        'The header is ignored.',
      );
    }
    const length = Number(value);
    if (length > MESSAGE_LIMIT) {
      this.skip = length;
      return this.fault(
        'tooLarge',
        `A message of ${length} bytes is over the limit of ${MESSAGE_LIMIT}.`,
        'It is skipped, and gets no answer.',
      );
    }
    return length;
  }

  /** @param then what becomes of it, on a stream that is read on */
  private fault(code: FrameError['code'], what: string, then: string): FrameError {
    if (!this.strict) return { code, message: `${what} ${then}` };
    this.broken = true;
    return { code, message: `${what} The connection is closed.`, fatal: true };
  }

  /** Where the header's text ends and where the message begins. */
  private endOfHeader(): { readonly text: number; readonly next: number } | undefined {
    const limit = Math.min(this.used, HEADER_LIMIT + 4);
    for (let i = 0; i < limit; i++) {
      if (this.buffer[i] !== LINE_FEED) continue;
      if (i + 1 < this.used && this.buffer[i + 1] === LINE_FEED) return { text: i, next: i + 2 };
      if (i + 2 < this.used && this.buffer[i + 1] === CARRIAGE_RETURN && this.buffer[i + 2] === LINE_FEED) {
        return { text: i, next: i + 3 };
      }
    }
    return undefined;
  }

  private body(length: number): Frame {
    try {
      const text = this.decoder.decode(this.buffer.subarray(0, length));
      return { ok: true, message: JSON.parse(text) as unknown };
    } catch (error) {
      const why = error instanceof SyntaxError ? error.message : 'it is not UTF-8';
      const message = `A message of ${length} bytes is not JSON (${why.slice(0, 100)}). Its Content-Length may be wrong; it is ignored.`;
      return { ok: false, error: { code: 'badJson', message } };
    }
  }
}

/** The bytes of a message with its header. */
export function encodeMessage(message: unknown): Uint8Array {
  const body = new TextEncoder().encode(JSON.stringify(message));
  const header = new TextEncoder().encode(`Content-Length: ${body.length}\r\n\r\n`);
  const bytes = new Uint8Array(header.length + body.length);
  bytes.set(header);
  bytes.set(body, header.length);
  return bytes;
}
