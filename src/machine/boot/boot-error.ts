// What is wrong with a file that should be booted: one clear sentence that names the file and the place in it.

export type BootErrorCode =
  'empty' | 'notBootable' | 'truncated' | 'unsupported' | 'badField' | 'outsideMemory' | 'noRoom';

/** Where in the file the fault lies. */
export interface BootErrorPlace {
  readonly offset?: number;
  /** The field by its name in the format's specification. */
  readonly field?: string;
}

export class BootError extends Error {
  override readonly name = 'BootError';
  readonly code: BootErrorCode;
  readonly file: string;
  readonly place: BootErrorPlace;

  constructor(code: BootErrorCode, file: string, place: BootErrorPlace, sentence: string) {
    const at = place.offset === undefined ? '' : `, offset 0x${place.offset.toString(16)}`;
    const field = place.field === undefined ? '' : `, ${place.field}`;
    super(`${file}${at}${field}: ${sentence}`);
    this.code = code;
    this.file = file;
    this.place = place;
  }
}
