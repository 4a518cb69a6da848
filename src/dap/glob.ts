/** Patterns of names with `*` and `?`. */

export const isGlob = (pattern: string): boolean => /[*?]/.test(pattern);

/** What every match of the pattern begins with. */
export const fixedPrefix = (pattern: string): string => /^[^*?]*/.exec(pattern)?.[0] ?? '';

/** Whether a name matches, in time proportional to both lengths: only the last star that was passed is ever widened. */
export function matchesGlob(pattern: string, name: string): boolean {
  let at = 0;
  let star: { readonly behind: number; taken: number } | undefined;
  for (let i = 0; i < name.length;) {
    const wanted = pattern[at];
    if (wanted === '*') {
      star = { behind: ++at, taken: i };
    } else if (wanted === '?' || wanted === name[i]) {
      at++;
      i++;
    } else if (star !== undefined) {
      at = star.behind;
      i = ++star.taken;
    } else {
      return false;
    }
  }
  while (pattern[at] === '*') at++;
  return at === pattern.length;
}
