// What src/vscode needs of the platform beneath it (Node today, a browser later); src/entry provides it.

/** The debug adapter in a thread of its own: protocol messages in both directions, as structured clones. */
export interface AdapterWorker {
  post(message: object): void;
  /** Set once, right after the worker was made. */
  onMessage: (message: unknown) => void;
  /** The worker is gone; `reason` says why in words, empty when it ended by itself without an error. */
  onExit: (reason: string) => void;
  terminate(): void;
}

export interface Platform {
  /** @param translation sentences in the user's language by their English ones; undefined: there is none */
  startAdapter(translation: Readonly<Record<string, string>> | undefined): AdapterWorker;
  /** Bytes of a file from an offset on, at most `length`; rejects when it cannot be read. */
  readPart(path: string, offset: number, length: number): Promise<Uint8Array>;
  readonly path: {
    isAbsolute(path: string): boolean;
    resolve(folder: string, path: string): string;
  };
}
