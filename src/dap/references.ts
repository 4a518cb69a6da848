/** Numbers by which the client refers to frames and to branches of variables; they live until the guest runs. */
import { Handles } from '@vscode/debugadapter/lib/handles.js';
import type { Frame } from '../debugger/frames.ts';
import type { Branch, VariableRow } from '../debugger/variables.ts';
import type { FrameView } from '../debugger/debugger.ts';
import { ProtocolError } from './errors.ts';

/** A branch with what it belongs to. */
export interface BranchReference {
  readonly branch: Branch;
  readonly vcpu: number;
  readonly view: FrameView | undefined;
  /** Rows as they were shown last, by name. */
  readonly rows: Map<string, VariableRow>;
}

/** Handles whose numbers are not used again when all are dropped: an old one must not mean something else. */
class FreshHandles<Value> {
  private handles = new Handles<Value>(1);
  private last = 0;

  create(value: Value): number {
    this.last = this.handles.create(value);
    return this.last;
  }
  get(handle: number): Value | undefined {
    return this.handles.get(handle);
  }
  drop(): void {
    this.handles = new Handles(this.last + 1);
  }
}

export class References {
  private readonly frames = new FreshHandles<{ frame: Frame }>();
  private readonly frameIds = new Map<string, number>();
  private readonly branches = new FreshHandles<BranchReference>();

  clear(): void {
    this.frames.drop();
    this.frameIds.clear();
    this.branches.drop();
  }

  /** The same number for the same frame as long as the guest stands still, also when it was unwound anew. */
  frameId(frame: Frame): number {
    const key = `${frame.vcpu}:${frame.index}`;
    const id = this.frameIds.get(key);
    const known = id === undefined ? undefined : this.frames.get(id);
    if (id !== undefined && known !== undefined) {
      known.frame = frame;
      return id;
    }
    const fresh = this.frames.create({ frame });
    this.frameIds.set(key, fresh);
    return fresh;
  }
  frame(id: number): Frame {
    const known = this.frames.get(id);
    if (known === undefined) {
      throw new ProtocolError(
        'unknownFrame',
        `There is no frame ${id} (frames end when the guest runs): ask for the stack trace again.`,
      );
    }
    return known.frame;
  }

  add(branch: Branch, vcpu: number, view: FrameView | undefined): number {
    return this.branches.create({ branch, vcpu, view, rows: new Map() });
  }
  branch(id: number): BranchReference {
    const found = this.branches.get(id);
    if (found === undefined) {
      throw new ProtocolError(
        'unknownReference',
        `There are no variables with reference ${id} (references end when the guest runs): ask for the scopes of a frame again.`,
      );
    }
    return found;
  }
}
