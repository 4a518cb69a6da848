// Writes cpio archives in the "newc" format, as the Linux kernel reads initramfs images (its
// Documentation/driver-api/early-userspace/buffer-format.rst). The same entries always give the same bytes: no time, no
// owner and no inode of this machine gets in.

export type CpioEntry =
  | { readonly kind: 'folder'; readonly name: string; readonly mode?: number }
  | { readonly kind: 'file'; readonly name: string; readonly bytes: Uint8Array; readonly mode?: number }
  | { readonly kind: 'link'; readonly name: string; readonly target: string }
  | {
      readonly kind: 'characterDevice';
      readonly name: string;
      readonly major: number;
      readonly minor: number;
      readonly mode?: number;
    };

const TYPE = { folder: 0o040000, file: 0o100000, link: 0o120000, characterDevice: 0o020000 } as const;
const DEFAULT_MODE = { folder: 0o755, file: 0o644, link: 0o777, characterDevice: 0o600 } as const;
const TRAILER = 'TRAILER!!!';

const padding = (length: number): Uint8Array => new Uint8Array(-length & 3);

/** One header with the name behind it, and the contents. Both are filled up to a multiple of four bytes. */
function member(
  fields: { inode: number; mode: number; links: number; major: number; minor: number },
  name: string,
  contents: Uint8Array,
): Uint8Array[] {
  const nameBytes = new TextEncoder().encode(`${name}\0`);
  const numbers = [
    fields.inode,
    fields.mode,
    0, // owner: root
    0, // group: root
    fields.links,
    0, // time of modification
    contents.length,
    0, // device that the file is on
    0,
    fields.major,
    fields.minor,
    nameBytes.length,
    0, // the checksum of the "crc" variant
  ];
  const header = `070701${numbers.map((number) => number.toString(16).padStart(8, '0')).join('')}`;
  const headerBytes = new TextEncoder().encode(header);
  return [headerBytes, nameBytes, padding(headerBytes.length + nameBytes.length), contents, padding(contents.length)];
}

/** An archive of these entries, in their order: folders come before what is in them. Names have no leading slash. */
export function writeCpio(entries: readonly CpioEntry[]): Uint8Array {
  const parts: Uint8Array[] = [];
  entries.forEach((entry, index) => {
    const permissions = entry.kind === 'link' ? DEFAULT_MODE.link : (entry.mode ?? DEFAULT_MODE[entry.kind]);
    const contents =
      entry.kind === 'file'
        ? entry.bytes
        : entry.kind === 'link'
          ? new TextEncoder().encode(entry.target)
          : new Uint8Array();
    const device = entry.kind === 'characterDevice' ? entry : { major: 0, minor: 0 };
    const fields = {
      inode: index + 1,
      mode: TYPE[entry.kind] | permissions,
      links: entry.kind === 'folder' ? 2 : 1,
      major: device.major,
      minor: device.minor,
    };
    parts.push(...member(fields, entry.name, contents));
  });
  parts.push(...member({ inode: 0, mode: 0, links: 1, major: 0, minor: 0 }, TRAILER, new Uint8Array()));
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const archive = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    archive.set(part, at);
    at += part.length;
  }
  return archive;
}
