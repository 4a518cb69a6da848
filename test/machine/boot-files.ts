// Kernel files made by hand, as small as their formats allow, for the tests of the loaders.

/** Fields that a test sets otherwise. */
export interface LinuxImageFields {
  readonly version?: number;
  readonly xloadflags?: number;
  readonly setupSectors?: number;
  readonly kernelSize?: number;
  readonly preferredAddress?: number;
  readonly initSize?: number;
  readonly initrdAddressMax?: number;
  readonly commandLineSize?: number;
}

/** A bzImage of boot protocol 2.15 whose protected-mode part consists of the bytes 0, 1, 2 .. 255, 0 .. */
export function linuxImage(fields: LinuxImageFields = {}): Uint8Array {
  const { setupSectors = 1, kernelSize = 4096 } = fields;
  const setupSize = (setupSectors + 1) * 512;
  const image = new Uint8Array(setupSize + kernelSize);
  const view = new DataView(image.buffer);
  for (let i = 0; i < kernelSize; i++) image[setupSize + i] = i & 0xff;
  view.setUint8(0x1f1, setupSectors);
  view.setUint32(0x1f4, kernelSize / 16, true);
  view.setUint16(0x1fe, 0xaa55, true);
  view.setUint16(0x200, 0x6aeb, true); // jmp over the header
  view.setUint32(0x202, 0x53726448, true);
  view.setUint16(0x206, fields.version ?? 0x20f, true);
  view.setUint32(0x22c, fields.initrdAddressMax ?? 0x7fff_ffff, true);
  view.setUint32(0x230, 0x20_0000, true);
  view.setUint16(0x236, fields.xloadflags ?? 0x7f, true);
  view.setUint32(0x238, fields.commandLineSize ?? 2047, true);
  view.setBigUint64(0x258, BigInt(fields.preferredAddress ?? 0x100_0000), true);
  view.setUint32(0x260, fields.initSize ?? 0x10_0000, true);
  return image;
}

export interface PvhImageFields {
  /** undefined: no note. */
  readonly entry?: number | undefined;
  readonly owner?: string;
  readonly type?: number;
  readonly physical?: number;
  readonly memorySize?: number;
}

/** An ELF64 kernel with one loadable segment of 256 bytes and one note. */
export function pvhImage(fields: PvhImageFields = {}): Uint8Array {
  const { owner = 'Xen', type = 18, physical = 0x100_0000, memorySize = 0x2000 } = fields;
  const entry = 'entry' in fields ? fields.entry : physical + 0x40;
  const image = new Uint8Array(0x300);
  const view = new DataView(image.buffer);
  image.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true); // an executable
  view.setUint16(18, 62, true); // x86-64
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BigInt(physical), true);
  view.setBigUint64(32, 64n, true); // program headers
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 2, true);
  const header = (at: number, kind: number, offset: number, address: bigint, file: number, memory: number): void => {
    view.setUint32(at, kind, true);
    const values = [BigInt(offset), 0xffff_ffff_8000_0000n + address, address, BigInt(file), BigInt(memory), 4n];
    values.forEach((value, i) => view.setBigUint64(at + 8 + i * 8, BigInt.asUintN(64, value), true));
  };
  header(64, 1, 0x200, BigInt(physical), 0x100, memorySize);
  header(120, 4, 0x100, 0n, 0x40, 0x40);
  // a note of somebody else, then ours
  view.setUint32(0x100, 4, true);
  view.setUint32(0x104, 2, true);
  view.setUint32(0x108, 18, true);
  image.set([0x47, 0x4e, 0x55, 0], 0x10c); // "GNU"
  if (entry !== undefined) {
    view.setUint32(0x114, owner.length + 1, true);
    view.setUint32(0x118, 8, true);
    view.setUint32(0x11c, type, true);
    image.set(new TextEncoder().encode(owner), 0x120);
    view.setBigUint64(0x124, BigInt(entry), true);
  }
  for (let i = 0; i < 0x100; i++) image[0x200 + i] = i;
  return image;
}
