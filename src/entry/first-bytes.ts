// The door of a socket: the first bytes of a connection decide. Browsers connect to any port of 127.0.0.1 that a page names,
// so what comes may be anything; only a stream that begins as the base protocol of DAP does is handed on.
import type { Socket } from 'node:net';

/** How every message begins (DAP, base protocol); names of header fields are case-insensitive. */
const BEGINNING = 'content-length';
/** Milliseconds in which a client says something; a connection that stays silent is closed, since browsers open some in advance. */
const PATIENCE = 10_000;

/** What a stream's beginning says: more bytes are needed, it is DAP, or it is not and `why` says so. */
export type Verdict =
  { readonly kind: 'undecided' } | { readonly kind: 'dap' } | { readonly kind: 'foreign'; readonly why: string };

/** Judges the first bytes of a stream; the sooner the better, so a single wrong byte is enough. */
export function judgeFirstBytes(bytes: Uint8Array): Verdict {
  const text = String.fromCharCode(...bytes.subarray(0, BEGINNING.length + 1)).toLowerCase();
  if (text.slice(0, BEGINNING.length) !== BEGINNING.slice(0, text.length)) {
    return { kind: 'foreign', why: `it began with '${shown(bytes)}', where a message begins with 'Content-Length'` };
  }
  if (text.length <= BEGINNING.length) return { kind: 'undecided' };
  if (!/[:\s]/.test(text.charAt(BEGINNING.length))) {
    return { kind: 'foreign', why: `it began with '${shown(bytes)}', where 'Content-Length:' is expected` };
  }
  return { kind: 'dap' };
}

/** The first line, as far as it can be printed. */
function shown(bytes: Uint8Array): string {
  const text = String.fromCharCode(...bytes.subarray(0, 60));
  return (text.split(/[\r\n]/)[0] ?? '').replace(/[^\x20-\x7e]/g, '?').slice(0, 40);
}

/**
 * Waits for the beginning of a connection. Resolves with true when it is a DAP client's, whose bytes are all still to be
 * read from the socket; else the socket is destroyed, and `refuse` was told why unless it just went away.
 */
export function isDapClient(socket: Socket, refuse: (why: string) => void): Promise<boolean> {
  return new Promise((resolve) => {
    let bytes = Buffer.alloc(0);
    const decide = (admitted: boolean): void => {
      clearTimeout(timer);
      socket.off('data', take);
      socket.off('close', gone);
      if (admitted) {
        socket.pause();
        socket.unshift(bytes);
      } else {
        socket.destroy();
      }
      resolve(admitted);
    };
    const gone = (): void => decide(false);
    const take = (piece: Buffer): void => {
      bytes = Buffer.concat([bytes, piece]);
      const verdict = judgeFirstBytes(bytes);
      if (verdict.kind === 'undecided') return;
      if (verdict.kind === 'foreign') refuse(verdict.why);
      decide(verdict.kind === 'dap');
    };
    const timer = setTimeout(() => {
      refuse(`it said nothing within ${PATIENCE / 1000} s`);
      decide(false);
    }, PATIENCE);
    socket.on('data', take);
    socket.on('close', gone);
  });
}
