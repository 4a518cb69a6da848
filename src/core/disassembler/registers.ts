// Names of general registers by number and size (SDM 2D appendix B.1.4.2).
const BYTES = ['al', 'cl', 'dl', 'bl', 'ah', 'ch', 'dh', 'bh'];
const LONG_BYTES = ['al', 'cl', 'dl', 'bl', 'spl', 'bpl', 'sil', 'dil'];
const WORDS = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'];

/** Size in bytes; with any REX prefix byte registers 4 to 7 are SPL to DIL. */
export function generalName(number: number, size: number, rex: boolean): string {
  if (number > 7) return `r${number}${size === 8 ? '' : size === 4 ? 'd' : size === 2 ? 'w' : 'b'}`;
  if (size === 1) return (rex ? LONG_BYTES : BYTES)[number] ?? '';
  const word = WORDS[number] ?? '';
  return size === 8 ? `r${word}` : size === 4 ? `e${word}` : word;
}
