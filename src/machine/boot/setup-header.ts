// The setup header of a Linux kernel image (Documentation/x86/boot.rst, "The Real-Mode Kernel Header"), read and checked.
import { BootError } from './boot-error.ts';

const BOOT_FLAG = 0x1fe;
const MAGIC = 0x202;
const MAGIC_HDRS = 0x5372_6448; // "HdrS"
export const SETUP_HEADER = 0x1f1;
/** The fields below are all there from this version on. */
const LEAST_VERSION = 0x20c;
const XLF_KERNEL_64 = 1;
/** Offset of the 64-bit entry point from where the protected-mode kernel is loaded. */
export const ENTRY_64 = 0x200;

export interface SetupHeader {
  /** Bytes 0x1f1 up to the end of the header: what goes into the zero page unchanged. */
  readonly raw: Uint8Array;
  /** The protected-mode kernel: what follows the setup sectors. */
  readonly kernel: Uint8Array;
  /** Where the kernel wants to run, and how many bytes it needs from there on while it unpacks itself. */
  readonly preferredAddress: number;
  readonly initSize: number;
  /** The highest address that a byte of the initrd may have. */
  readonly initrdAddressMax: number;
  /** Bytes of the command line without its terminating zero. */
  readonly commandLineSize: number;
}

const viewOf = (file: Uint8Array): DataView => new DataView(file.buffer, file.byteOffset, file.length);

/** Whether a file claims to be a Linux kernel image of any age. */
export function isLinuxImage(file: Uint8Array): boolean {
  return file.length >= MAGIC + 4 && viewOf(file).getUint32(MAGIC, true) === MAGIC_HDRS;
}

/** Reads the header of a bzImage. Throws BootError unless it is a 64-bit kernel, complete and of the boot protocol 2.12 or later. */
export function readSetupHeader(name: string, file: Uint8Array): SetupHeader {
  const view = viewOf(file);
  const fail = (code: 'unsupported' | 'truncated' | 'badField', offset: number, field: string, text: string): never => {
    throw new BootError(code, name, { offset, field }, text);
  };
  if (view.getUint16(BOOT_FLAG, true) !== 0xaa55) fail('badField', BOOT_FLAG, 'boot_flag', 'is not AA55h.');
  if (file.length < 0x268) fail('truncated', 0x206, 'setup header', `the file has only ${file.length} bytes.`);
  const version = view.getUint16(0x206, true);
  if (version < LEAST_VERSION) {
    const text = `is ${version >> 8}.${version & 0xff}; the 64-bit boot protocol begins with 2.12 (Linux 3.8).`;
    fail('unsupported', 0x206, 'version', text);
  }
  if ((view.getUint16(0x236, true) & XLF_KERNEL_64) === 0) {
    fail(
      'unsupported',
      0x236,
      'xloadflags',
      'says that this kernel has no 64-bit entry point; Trapline boots x86-64 ones.',
    );
  }
  const end = 0x202 + view.getUint8(0x201); // the jump at 0x200 leaps over the rest of the header
  const setupSize = ((view.getUint8(SETUP_HEADER) || 4) + 1) * 512;
  // syssize counts paragraphs; what a signed image has behind them is not loaded
  const size = view.getUint32(0x1f4, true) * 16;
  const available = file.length - setupSize;
  if (available <= ENTRY_64 || size > Math.ceil(available / 16) * 16) {
    const text = `asks for ${size} bytes behind the setup sectors, but the file has only ${Math.max(available, 0)} there; it was cut off.`;
    fail('truncated', 0x1f4, 'syssize', text);
  }
  const preferredAddress = Number(view.getBigUint64(0x258, true));
  const initSize = view.getUint32(0x260, true);
  if (preferredAddress < 0x10_0000 || preferredAddress >= 2 ** 32) {
    fail('badField', 0x258, 'pref_address', `is 0x${preferredAddress.toString(16)}, not between 1 MiB and 4 GiB.`);
  }
  return {
    raw: file.subarray(SETUP_HEADER, Math.max(Math.min(end, 0x290), 0x268)),
    kernel: file.subarray(setupSize, setupSize + Math.min(size, available)),
    preferredAddress,
    initSize: Math.max(initSize, available),
    initrdAddressMax: view.getUint32(0x22c, true),
    commandLineSize: view.getUint32(0x238, true),
  };
}
