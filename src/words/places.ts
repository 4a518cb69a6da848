// Numbers and places of code in sentences.

export const hex = (value: bigint | number): string => `0x${value.toString(16)}`;

/** The name of code at an address, `symbol+offset`; undefined: it has none. */
export type NameOfCode = (address: bigint) => string | undefined;
export const noNames: NameOfCode = () => undefined;

/** `0x102a29 <worker_run+57>`, or the address alone. */
export function placeText(address: bigint, nameOf: NameOfCode): string {
  const name = nameOf(address);
  return name === undefined ? hex(address) : `${hex(address)} <${name}>`;
}
