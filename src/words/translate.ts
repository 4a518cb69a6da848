// Every sentence of this room goes through one function, so that it can be said in another language.

/** What stands in the place of `{name}`. */
export type Values = Readonly<Record<string, string | number>>;
/** Says an English sentence in the user's language, with `values` in the place of `{name}`; as vscode.l10n.t does. */
export type Translate = (english: string, values?: Values) => string;

const fill = (text: string, values: Values): string =>
  text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));

/** As it is written. */
export const english: Translate = (text, values = {}) => fill(text, values);

/**
 * A translation of an extension as VS Code gives it (`vscode.l10n.bundle`): what to say for each English sentence. What it
 * does not have is said in English.
 *
 * @param bundle from outside, so it is checked: whatever is no text is not taken
 */
export function fromBundle(bundle: unknown): Translate {
  if (typeof bundle !== 'object' || bundle === null) return english;
  const sentences = new Map<string, string>();
  for (const [text, said] of Object.entries(bundle)) if (typeof said === 'string') sentences.set(text, said);
  return (text, values = {}) => fill(sentences.get(text) ?? text, values);
}
