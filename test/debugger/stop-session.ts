/** A debug session with the sample guest over DAP: takes down at a stop all that the client shows, and the state itself. */
import path from 'node:path';
import type { DebugProtocol as P } from '@vscode/debugprotocol';
import { createNodeAdapterHost } from '../../src/entry/node-adapter-host.ts';
import { makeCoreFile, type CoreMemory } from '../symbols/core-file.ts';
import { Client, inProcess } from '../dap/client.ts';
import { guest } from '../dap/story.ts';

/** A variable and what it unfolds into: members, elements, for pointers at the top the struct that they point to. */
export interface Shown {
  readonly type: string;
  readonly text: string;
  readonly children: readonly (readonly [string, Shown])[] | undefined;
  /** Elements that an array says it has. */
  readonly count: number;
}

export interface ShownVariable {
  readonly name: string;
  readonly value: Shown;
  /** What `sizeof` gives. */
  readonly size: number;
}

export interface ShownFrame {
  readonly pc: string;
  readonly name: string;
  readonly inlined: boolean;
  /** Undefined where only a listing of machine code can be shown. */
  readonly file: string | undefined;
  readonly line: number;
  readonly registers: ReadonlyMap<string, string>;
  readonly variables: readonly ShownVariable[];
}

export interface TakenStop {
  readonly name: string;
  /** Thread that the client puts the focus on. */
  readonly focus: number;
  /** By thread: all processors that run 64-bit code. */
  readonly threads: ReadonlyMap<number, readonly ShownFrame[]>;
  /** Values in the innermost frame of the thread with the focus. */
  readonly expressions: ReadonlyMap<string, Shown>;
  readonly core: Uint8Array;
}

const pageSize = 0x1000;
/** The running trampoline, what the loader tells the kernel, and all that the kernel was linked to, with its stacks. */
const areas: readonly (readonly [number, number])[] = [
  [0x8000, 0x9000],
  [0x9_f000, 0xa_0000],
  [0x10_0000, 0x18_b000],
];
const elementLimit = 3;
const depthLimit = 3;

export class StopSession {
  private readonly host = createNodeAdapterHost();
  private readonly client = new Client(inProcess(this.host));

  /** Starts four processors and stops at the entry of the kernel. */
  async start(): Promise<void> {
    await this.client.launch({
      kernel: path.join(guest, 'smp.elf'),
      machine: { cpus: 4, memory: '64M' },
      stopOnEntry: true,
    });
    await this.client.stopped();
  }

  request<Body>(command: string, argument: unknown): Promise<Body> {
    return this.client.request<Body>(command, argument);
  }

  /** Sends a request that lets the guest run, and waits for the stop; rejects when the guest ends instead. */
  async run(command: string, argument: object): Promise<number> {
    const ended = this.client.event('terminated').then(() => {
      throw new Error(`The guest ended behind '${command}' instead of stopping.`);
    });
    const stopped = this.client.stopped();
    await this.client.request(command, argument);
    const { threadId } = await Promise.race([stopped, ended]);
    if (threadId === undefined) throw new Error('A stop without a thread.');
    return threadId;
  }

  async end(): Promise<void> {
    await this.client.request('disconnect').catch(() => undefined);
    await this.client.close();
    this.host.dispose();
  }

  /** All that can be seen at this stop. */
  async take(name: string, focus: number, expressions: readonly string[] = []): Promise<TakenStop> {
    const { threads } = await this.request<P.ThreadsResponse['body']>('threads', {});
    const taken = new Map<number, readonly ShownFrame[]>();
    const states = [];
    for (const { id, name: title } of threads) {
      // Processors that are not started or on their way: gdb's x86-64 has no 16-bit and 32-bit code.
      if (!/ · r[0-3] · /.test(title)) continue;
      const frames = await this.frames(id);
      taken.set(id, frames);
      const registers = Object.fromEntries(
        [...(frames[0]?.registers ?? [])].map(([register, value]) => [
          register === 'rflags' ? 'eflags' : register,
          BigInt(value),
        ]),
      );
      states.push({ id, registers });
    }
    const values = await this.evaluate(focus, expressions);
    return {
      name,
      focus,
      threads: taken,
      expressions: values,
      core: makeCoreFile('x86-64', states, await this.memory()),
    };
  }

  private async evaluate(threadId: number, expressions: readonly string[]): Promise<ReadonlyMap<string, Shown>> {
    const values = new Map<string, Shown>();
    const stack = await this.request<P.StackTraceResponse['body']>('stackTrace', {
      threadId,
      startFrame: 0,
      levels: 1,
    });
    for (const expression of expressions) {
      const body = await this.request<P.EvaluateResponse['body']>('evaluate', {
        expression,
        frameId: stack.stackFrames[0]?.id,
        context: 'watch',
      }).catch((error: unknown) => ({ result: `<error: ${String(error)}>`, variablesReference: 0 }));
      values.set(expression, await this.unfold({ ...body, name: expression, value: body.result }, 0));
    }
    return values;
  }

  private async memory(): Promise<readonly CoreMemory[]> {
    const found: CoreMemory[] = [];
    for (const [start, end] of areas) {
      let at = start;
      while (at < end) {
        const body = await this.request<P.ReadMemoryResponse['body']>('readMemory', {
          memoryReference: `0x${at.toString(16)}`,
          count: end - at,
        });
        const bytes = Buffer.from(body?.data ?? '', 'base64');
        if (bytes.length > 0) found.push({ address: BigInt(at), bytes });
        // Guard pages and the like are holes: on with the page behind.
        at = Math.ceil((at + bytes.length + 1) / pageSize) * pageSize;
      }
    }
    return found;
  }

  private async frames(threadId: number): Promise<readonly ShownFrame[]> {
    const { stackFrames } = await this.request<P.StackTraceResponse['body']>('stackTrace', { threadId });
    const frames: ShownFrame[] = [];
    for (const frame of stackFrames) {
      const { scopes } = await this.request<P.ScopesResponse['body']>('scopes', { frameId: frame.id });
      const reference = (name: string): number => scopes.find((scope) => scope.name === name)?.variablesReference ?? 0;
      const registers = await this.children(reference('General registers'));
      const variables: ShownVariable[] = [];
      for (const variable of await this.children(reference('Locals'))) {
        const size = await this.request<P.EvaluateResponse['body']>('evaluate', {
          expression: `sizeof(${variable.name})`,
          frameId: frame.id,
          context: 'watch',
        });
        variables.push({ name: variable.name, value: await this.unfold(variable, 0), size: Number(size.result) });
      }
      frames.push({
        pc: frame.instructionPointerReference ?? '',
        name: frame.name.replace(/ \[inlined\]$/, ''),
        inlined: frame.name.endsWith(' [inlined]'),
        file: frame.source?.sourceReference === undefined ? frame.source?.name : undefined,
        line: frame.line,
        registers: new Map(registers.map(({ name, value }) => [name, value.split(' ')[0] ?? ''])),
        variables,
      });
    }
    return frames;
  }

  private async children(variablesReference: number, page: object = {}): Promise<readonly P.Variable[]> {
    if (variablesReference === 0) return [];
    return (await this.request<P.VariablesResponse['body']>('variables', { variablesReference, ...page })).variables;
  }

  /** As deep as stops-judge.py goes. */
  private async unfold(variable: P.Variable, depth: number): Promise<Shown> {
    const type = variable.type ?? '';
    const count = variable.indexedVariables ?? 0;
    const shown = { type, text: variable.value, count };
    const pointer = variable.value.startsWith('0x');
    if (variable.variablesReference === 0 || depth >= depthLimit || (pointer && depth > 0)) {
      return { ...shown, children: undefined };
    }
    const page = count > 0 ? { filter: 'indexed', start: 0, count: elementLimit } : {};
    const rows = await this.children(variable.variablesReference, page);
    // The one thing behind a pointer to a scalar is not compared: gdb is not asked for it.
    if (pointer && rows[0]?.name.startsWith('*') === true) return { ...shown, children: undefined };
    const children: [string, Shown][] = [];
    for (const row of rows) children.push([row.name, await this.unfold(row, depth + 1)]);
    return { ...shown, children };
  }
}
