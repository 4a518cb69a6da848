// What the generated accessors (state-area.generated.ts) stand on: where in memory an area lies.

/**
 * A view of memory in which an area's slots lie at their addresses plus `shift`. The running vCPU's area has shift 0;
 * Engine.select() moves the windows of the two vCPUs that change places, so a window stays good for its vCPU.
 */
export class StateWindow {
  readonly view: DataView;
  shift: number;
  /** view: little-endian memory; shift: bytes from the addresses of the state table to this area. */
  constructor(view: DataView, shift = 0) {
    this.view = view;
    this.shift = shift;
  }
  /** Address of element `index` of an array; throws RangeError outside of it. */
  protected elementAt(at: number, size: number, count: number, index: number): number {
    if (!(index >= 0 && index < count)) throw new RangeError(`there is no element ${index} of ${count}`);
    return this.shift + at + index * size;
  }
  /** The record of an array; throws RangeError outside of it. */
  protected recordOf<Item>(records: readonly Item[], index: number): Item {
    const found = records[index];
    if (found === undefined) throw new RangeError(`there is no element ${index} of ${records.length}`);
    return found;
  }
}
