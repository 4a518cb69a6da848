/** Compares what the client shows at a stop with what gdb shows of the same state. */
import { typesOfTheirOwn } from './stop-places.ts';
import type { Shown, ShownFrame, ShownVariable, TakenStop } from './stop-session.ts';

/** What stops-judge.py writes. */
export interface JudgedValue {
  readonly type: string;
  readonly text?: string;
  readonly number?: string;
  readonly count?: number;
  readonly children?: readonly (readonly [string, JudgedValue])[] | null;
}

export interface JudgedFrame {
  readonly pc: string;
  readonly name: string | null;
  readonly inlined: boolean;
  readonly file: string | null;
  readonly line: number;
  readonly registers: Readonly<Record<string, string | null>>;
  readonly variables: readonly {
    readonly name: string;
    readonly argument: boolean;
    readonly size: number;
    readonly value: JudgedValue;
  }[];
}

export interface JudgedStop {
  /** By thread. */
  readonly threads: Readonly<Record<string, readonly JudgedFrame[]>>;
  /** Values in the innermost frame of the thread with the focus. */
  readonly expressions: Readonly<Record<string, JudgedValue>>;
}

/** What was compared, so that a test that compares nothing is noticed. */
export interface Tally {
  stops: number;
  stacks: number;
  frames: number;
  inlined: number;
  registers: number;
  variables: number;
  expressions: number;
  /** Scalars in them, optimised-out ones not counted. */
  scalars: number;
  optimizedOut: number;
  /** How often each excuse was needed. */
  readonly excused: Record<string, number>;
}

export const emptyTally = (): Tally => ({
  stops: 0,
  stacks: 0,
  frames: 0,
  inlined: 0,
  registers: 0,
  variables: 0,
  expressions: 0,
  scalars: 0,
  optimizedOut: 0,
  excused: {},
});

/** Registers that calls keep: System V ABI AMD64, figure 3.4. */
const calleeSaved = new Set(['rbx', 'rbp', 'rsp', 'r12', 'r13', 'r14', 'r15', 'rip']);

/** Code in assembly that is described as signal frames; it may nevertheless call. */
const isSignalFrame = (name: string | null): boolean => /^(trap_common|system_call_entry|stub_\d+)$/.test(name ?? '');

type Excuse =
  'register clobbered by the call' | 'discriminator' | 'empty block' | 'behind the call' | 'beyond code' | 'label';

export class StopComparison {
  readonly tally = emptyTally();
  readonly differences: string[] = [];
  private readonly labels: ReadonlySet<string>;
  private where = '';

  /** @param labels symbols without a size */
  constructor(labels: ReadonlySet<string>) {
    this.labels = labels;
  }

  compare(ours: TakenStop, theirs: JudgedStop): void {
    this.tally.stops++;
    for (const [thread, frames] of ours.threads) {
      this.tally.stacks++;
      this.where = `${ours.name}: thread ${thread}`;
      this.compareStacks(frames, theirs.threads[String(thread)] ?? []);
    }
    this.where = ours.name;
    for (const [text, value] of ours.expressions) {
      const expected = theirs.expressions[text];
      this.tally.expressions++;
      if (expected === undefined) this.differ(`gdb was not asked for ${text}`);
      else if (typesOfTheirOwn.has(text)) this.compareValues(text, value, { ...expected, type: value.type });
      else this.compareValues(text, value, expected);
    }
  }

  private differ(what: string): void {
    this.differences.push(`${this.where}: ${what}`);
  }
  private excuse(why: Excuse): void {
    this.tally.excused[why] = (this.tally.excused[why] ?? 0) + 1;
  }

  private compareStacks(ours: readonly ShownFrame[], theirs: readonly JudgedFrame[]): void {
    const names = (frames: readonly { readonly name: string | null }[]): string =>
      frames.map(({ name }) => name ?? '??').join(' < ');
    // gdb guesses on to where there is no code at all: behind the bottom of a stack. We end before that.
    if (theirs.length === ours.length + 1 && theirs.at(-1)?.name === null) this.excuse('beyond code');
    else if (ours.length !== theirs.length) this.differ(`the stack is ${names(ours)}, gdb has ${names(theirs)}`);
    const stack = this.where;
    let physical = 0;
    for (const [index, judge] of theirs.entries()) {
      const mine = ours[index];
      if (mine === undefined) break;
      this.where = `${stack}, frame ${index} (${judge.name})`;
      this.compareFrames(mine, judge, theirs[index - 1], physical);
      if (!judge.inlined) physical++;
    }
    this.where = stack;
  }

  private compareFrames(mine: ShownFrame, judge: JudgedFrame, inner: JudgedFrame | undefined, physical: number): void {
    this.tally.frames++;
    if (mine.inlined) this.tally.inlined++;
    if (mine.pc !== judge.pc) return this.differ(`pc is ${mine.pc}, gdb has ${judge.pc}`);
    // Where there is only a symbol we show how far behind it the pc is; gdb does not.
    const name = mine.name.replace(/\+0x[0-9a-f]+$/, '');
    if (name !== judge.name) this.differ(`the name is ${mine.name}, gdb has ${judge.name}`);
    if (mine.inlined !== judge.inlined) this.differ(`inlined is ${mine.inlined}, gdb has ${judge.inlined}`);
    if ((mine.file ?? null) !== judge.file) this.differ(`the file is ${mine.file}, gdb has ${judge.file}`);
    if (judge.file !== null && mine.line !== judge.line) {
      // gdb looks the line of a signal frame up behind the call, not at it.
      if (physical > 0 && isSignalFrame(mine.name) && judge.line === mine.line + 1) this.excuse('behind the call');
      else this.differ(`the line is ${mine.line}, gdb has ${judge.line}`);
    }
    for (const [register, value] of Object.entries(judge.registers)) {
      const shown = mine.registers.get(register) ?? '';
      this.tally.registers++;
      if (shown.startsWith('0x') && value !== null && BigInt(shown) === BigInt(value)) continue;
      // gdb shows caller-saved registers of outer frames as if calls kept them: with the inner frame's values. We say
      // that they are not known. What was interrupted, and has not called since, has all of its registers.
      const interrupted = physical === 1 && isSignalFrame(inner?.name ?? null);
      const kept = !interrupted && value === inner?.registers[register] && !calleeSaved.has(register);
      if (shown === '<not' && kept) this.excuse('register clobbered by the call');
      else this.differ(`${register} is ${shown}, gdb has ${value}`);
    }
    this.compareVariables(mine, judge);
  }

  private compareVariables(mine: ShownFrame, judge: JudgedFrame): void {
    const unmatched = new Set(mine.variables);
    const seen = new Set<string>();
    for (const expected of judge.variables) {
      const found: ShownVariable | undefined = [...unmatched].find(({ name }) => name === expected.name);
      if (found === undefined) {
        // gdb shows a variable of an inlined function a second time, as optimised out, when gcc put it into a block.
        const again = seen.has(expected.name) && mine.inlined && expected.value.text === '<optimized out>';
        if (again) this.excuse('empty block');
        else this.differ(`there is no ${expected.name}, gdb has ${expected.value.text ?? expected.value.type}`);
        continue;
      }
      seen.add(expected.name);
      unmatched.delete(found);
      this.tally.variables++;
      if (found.size !== expected.size) this.differ(`sizeof ${found.name} is ${found.size}, gdb has ${expected.size}`);
      this.compareValues(found.name, found.value, expected.value);
    }
    for (const { name, value } of unmatched) this.differ(`${name} is ${value.text}, gdb has no such variable`);
  }

  private compareValues(path: string, mine: Shown, judge: JudgedValue): void {
    if (spaceless(mine.type) !== spaceless(judge.type)) {
      this.differ(`${path} is of type ${mine.type}, gdb has ${judge.type}`);
    }
    if (judge.count !== undefined && mine.count !== judge.count) {
      this.differ(`${path} has ${mine.count} elements, gdb has ${judge.count}`);
    }
    if (judge.text !== undefined) {
      const text = normalMine(mine);
      const expected = normalJudge(judge, mine.text);
      if (judge.text === '<optimized out>') this.tally.optimizedOut++;
      else this.tally.scalars++;
      if (text !== expected) {
        // gdb does not name addresses of data after labels, as assembly and the linker define them; we do.
        const label = /^(0x[0-9a-f]+) <(\w+)(?:\+0x[0-9a-f]+)?>$/.exec(mine.text);
        if (label !== null && label[1] === judge.text && this.labels.has(label[2] ?? '')) this.excuse('label');
        else this.differ(`${path} is ${mine.text}, gdb has ${judge.text}`);
        return;
      }
    }
    if (judge.children === undefined || judge.children === null) return;
    const children = mine.children ?? [];
    // A struct without any known part is not unfolded.
    if (children.length === 0 && isNothing(mine.text) && allNothing(judge)) return;
    for (let i = 0; i < Math.max(children.length, judge.children.length); i++) {
      const [name, part] = children[i] ?? [];
      const [expectedName, expectedPart] = judge.children[i] ?? [];
      if (part === undefined || expectedPart === undefined || name !== expectedName) {
        this.differ(`${path} has ${name} (${mine.text}) where gdb has ${expectedName}`);
        return;
      }
      this.compareValues(`${path}.${name}`, part, expectedPart);
    }
  }
}

const isUnreadable = (text: string): boolean => /^<(Memory at .* cannot be read|unavailable: )/.test(text);
const isNothing = (text: string): boolean => text === '<optimized out>' || isUnreadable(text);
function allNothing(value: JudgedValue): boolean {
  if (value.children !== undefined && value.children !== null)
    return value.children.every(([, part]) => allNothing(part));
  return value.text === undefined || isNothing(value.text);
}
function spaceless(text: string): string {
  return text.replaceAll(' ', '');
}

/** Both say at which address; gdb not always for which whole object. */
function unreadableAt(text: string): string {
  return `unreadable at ${/0x[0-9a-f]+/.exec(text)?.[0]}`;
}

/** Offsets behind symbols: we write them in hexadecimal, gdb in decimal. */
function offsets(text: string): string {
  return text.replace(/\+(0x[0-9a-f]+|\d+)>/, (_, offset: string) => `+${BigInt(offset)}>`);
}

/** Our text of a scalar without what gdb does not write. */
function normalMine(mine: Shown): string {
  if (isUnreadable(mine.text)) return unreadableAt(mine.text);
  // Glyphs of characters are written by other rules; the number counts.
  return offsets(mine.text).replace(/^(-?\d+) '.*'$/s, '$1');
}

/** gdb's text of a scalar in our form: `enumerator (number)`, characters as numbers. */
function normalJudge(judge: JudgedValue, mine: string): string {
  const text = judge.text ?? '';
  if (isUnreadable(text)) return unreadableAt(text);
  if (judge.number === undefined) return text;
  if (/^-?\d+( '.*')?$/s.test(text)) return judge.number;
  if (/^[A-Za-z_(]/.test(text) && text !== 'true' && text !== 'false') {
    // gdb brackets sets of flags.
    const names = text.replace(/^\((.*)\)$/, '$1').replace('unknown: ', '');
    return names === '' ? judge.number : `${names} (${judge.number})`;
  }
  // A string whose end gdb cuts in its own way: the address and what both show of it.
  if (text.includes('"') && mine.endsWith('...')) return mine;
  return offsets(text);
}
