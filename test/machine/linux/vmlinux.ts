// The uncompressed vmlinux inside a bzImage, for the PVH boot: payload_offset and payload_length of the setup header
// (Documentation/x86/boot.rst), here compressed by LZ4 in its legacy frame format (lz4_Frame_format.md, "Legacy frame").
const LEGACY_MAGIC = 0x184c_2102;
const LAST_LITERALS = 15;

/** Appends one LZ4 block to `output`; answers the new end. */
function unpackBlock(block: Uint8Array, output: Uint8Array, start: number): number {
  let from = 0;
  let to = start;
  const next = (): number => {
    const byte = block[from++];
    if (byte === undefined) throw new Error('an LZ4 block ends in the middle');
    return byte;
  };
  const length = (nibble: number): number => {
    let total = nibble;
    if (nibble === LAST_LITERALS) {
      let byte: number;
      do total += byte = next();
      while (byte === 255);
    }
    return total;
  };
  for (;;) {
    const token = next();
    const literals = length(token >> 4);
    output.set(block.subarray(from, from + literals), to);
    from += literals;
    to += literals;
    if (from >= block.length) return to;
    const offset = next() | (next() << 8);
    const copied = length(token & 15) + 4;
    for (let i = 0; i < copied; i++, to++) output[to] = output[to - offset] ?? 0; // may overlap itself
  }
}

/** The ELF file inside a kernel image, or why there is none. */
export function unpackVmlinux(image: Uint8Array): Uint8Array | string {
  const view = new DataView(image.buffer, image.byteOffset, image.length);
  const payload = ((image[0x1f1] ?? 0) + 1) * 512 + view.getUint32(0x248, true);
  const end = payload + view.getUint32(0x24c, true);
  if (view.getUint32(payload, true) !== LEGACY_MAGIC) return 'this kernel is not compressed by LZ4';
  // the linker puts the size of what was compressed behind the payload
  const output = new Uint8Array(view.getUint32(end - 4, true));
  let size = 0;
  for (let at = payload + 4; at + 8 <= end;) {
    const length = view.getUint32(at, true);
    size = unpackBlock(image.subarray(at + 4, at + 4 + length), output, size);
    at += 4 + length;
  }
  return output.subarray(0, size);
}
