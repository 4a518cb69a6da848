// Every sentence of this room goes through one function, so that it can be said in another language.

/** What stands in the place of `{name}`. */
export type Values = Readonly<Record<string, string | number>>;
/** Says an English sentence in the user's language, with `values` in the place of `{name}`; as vscode.l10n.t does. */
export type Translate = (english: string, values?: Values) => string;

const fill = (text: string, values: Values): string =>
  text.replaceAll(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));

/** As it is written. */
export const english: Translate = (text, values = {}) => fill(text, values);
