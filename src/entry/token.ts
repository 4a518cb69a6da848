// The token of a port: who may connect to a port of 127.0.0.1 is every program and every user of this machine, and every page
// in a browser; who has read the adapter's own output is the one who started it.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** A new token: 160 random bits, as 40 hexadecimal digits. */
export const newToken = (): string => randomBytes(20).toString('hex');

/** Whether a string is the token, in a time that does not depend on how much of it is right. */
export function isToken(token: string, given: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(token), digest(given));
}
