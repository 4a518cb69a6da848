/** Numbers by which the client refers to frames and to branches of variables; they live until the guest runs. */
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

export class References {
  private readonly frames = new Map<number, Frame>();
  private readonly frameIds = new Map<string, number>();
  private readonly branches = new Map<number, BranchReference>();
  // Numbers are not used again within a session: an old one must not mean something else.
  private nextFrame = 1;
  private nextBranch = 1;

  clear(): void {
    this.frames.clear();
    this.frameIds.clear();
    this.branches.clear();
  }

  frameId(frame: Frame): number {
    const key = `${frame.vcpu}:${frame.index}`;
    const known = this.frameIds.get(key);
    if (known !== undefined) {
      this.frames.set(known, frame);
      return known;
    }
    const id = this.nextFrame++;
    this.frameIds.set(key, id);
    this.frames.set(id, frame);
    return id;
  }
  frame(id: number): Frame {
    const frame = this.frames.get(id);
    if (frame === undefined) {
      throw new ProtocolError('unknownFrame', `Frame ${id} does not exist: the guest has run since, or it never did.`);
    }
    return frame;
  }

  add(branch: Branch, vcpu: number, view: FrameView | undefined): number {
    const id = this.nextBranch++;
    this.branches.set(id, { branch, vcpu, view, rows: new Map() });
    return id;
  }
  branch(id: number): BranchReference {
    const found = this.branches.get(id);
    if (found === undefined) {
      throw new ProtocolError(
        'unknownReference',
        `Variables ${id} do not exist: the guest has run since, or they never did.`,
      );
    }
    return found;
  }
}
