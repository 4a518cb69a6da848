// What a loader takes and what it comes to. Loaders are pure: they plan; load-kernel.ts writes.

/** A file that a boot protocol takes. */
export interface BootFile {
  /** For messages, and as the module's string. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly commandLine?: string;
}

/** Bytes for RAM from a physical address on; the rest of memorySize becomes zero. */
export interface MemoryWrite {
  readonly physical: number;
  readonly data: Uint8Array;
  readonly memorySize: number;
}

export const whole = (physical: number, data: Uint8Array): MemoryWrite => ({
  physical,
  data,
  memorySize: data.length,
});
