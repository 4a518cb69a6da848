/** Small guests for the debugger's tests: compiled by gcc when a test asks, run in a debug session, watched by line. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DebugProtocol as P } from '@vscode/debugprotocol';
import { createNodeAdapterHost } from '../../src/entry/node-adapter-host.ts';
import { repositoryRoot } from '../../scripts/process.ts';
import { Client, inProcess } from '../dap/client.ts';
import { run } from '../symbols/tools.ts';

const programs = join(repositoryRoot, 'test/debugger/programs');
const LINK = ['-nostdlib', '-static', '-Wl,--build-id=none,-z,noexecstack,--no-warn-rwx-segments'];

/** Compiles a C program of programs/ into a 64-bit Multiboot kernel. */
export function compileLongMode(program: string, output: string, options: readonly string[] = ['-O0']): string {
  run('gcc', [
    '-g',
    '-ffreestanding',
    '-fno-pic',
    '-no-pie',
    '-fno-stack-protector',
    '-mno-red-zone',
    '-mgeneral-regs-only',
    '-fcf-protection=none',
    '-mcmodel=small',
    ...LINK,
    ...options,
    `-Wl,-T,${join(programs, 'guest.ld')}`,
    join(programs, 'long-mode.S'),
    join(programs, program),
    '-o',
    output,
  ]);
  return output;
}

/** Assembles a program of programs/ that has its own linker script. */
export function assembleLegacy(program: string, output: string): string {
  const script = `-Wl,-T,${join(programs, program.replace(/\.S$/, '.ld'))}`;
  run('gcc', ['-m32', '-g', ...LINK, script, join(programs, program), '-o', output]);
  return output;
}

/** Number of the line that carries a mark in a comment. */
export function lineOf(program: string, mark: string): number {
  const index = readFileSync(join(programs, program), 'utf8')
    .split('\n')
    .findIndex((line) => line.includes(mark));
  if (index < 0) throw new Error(`${program} has no line with ${mark}`);
  return index + 1;
}

/** A session with a small guest that is stopped at lines and steps. */
export class SmallSession {
  readonly client: Client;
  private readonly program: string;
  private thread = 1;

  constructor(client: Client, program: string) {
    this.client = client;
    this.program = program;
  }

  /** Breakpoints at the lines with these marks; those of before go. */
  async breakAt(...marks: readonly string[]): Promise<void> {
    const breakpoints = marks.map((mark) => ({ line: lineOf(this.program, mark) }));
    await this.client.request('setBreakpoints', { source: { path: join(programs, this.program) }, breakpoints });
  }
  async breakIn(...names: readonly string[]): Promise<void> {
    await this.client.request('setFunctionBreakpoints', { breakpoints: names.map((name) => ({ name })) });
  }
  async go(
    command: 'continue' | 'next' | 'stepIn' | 'stepOut',
    more: Readonly<Record<string, unknown>> = {},
  ): Promise<P.StoppedEvent['body']> {
    this.client.forgetEvents();
    await this.client.request(command, { threadId: this.thread, ...more });
    return this.stopped();
  }
  /** Waits for a stop; a guest that ends instead is an error at once. */
  async stopped(): Promise<P.StoppedEvent['body']> {
    const ended = this.client.event<P.ExitedEvent['body']>('exited').then(({ exitCode }) => {
      throw new Error(`the guest ran to its end (${exitCode}) instead of stopping`);
    });
    const body = await Promise.race([this.client.stopped(), ended]);
    ended.catch(() => undefined);
    this.thread = body.threadId ?? this.thread;
    return body;
  }
  async frames(): Promise<readonly P.StackFrame[]> {
    const { stackFrames } = await this.client.request<P.StackTraceResponse['body']>('stackTrace', {
      threadId: this.thread,
    });
    return stackFrames;
  }
  /** `function:line` of the innermost frame. */
  async where(): Promise<string> {
    const [top] = await this.frames();
    return `${top?.name}:${top?.line}`;
  }
  async evaluate(expression: string): Promise<string> {
    const [top] = await this.frames();
    const body = await this.client.request<P.EvaluateResponse['body']>('evaluate', { expression, frameId: top?.id });
    return body.result;
  }
}

/** Boots a kernel with breakpoints at lines or in functions, and works with the session at its first stop. */
export async function withSmallGuest(
  kernel: string,
  program: string,
  first: { readonly lines?: readonly string[]; readonly functions?: readonly string[] },
  work: (session: SmallSession) => Promise<void>,
): Promise<void> {
  const host = createNodeAdapterHost();
  const client = new Client(inProcess(host));
  const session = new SmallSession(client, program);
  try {
    await client.launch({ kernel, machine: { cpus: 1, memory: '32M' } }, async () => {
      await session.breakAt(...(first.lines ?? []));
      await session.breakIn(...(first.functions ?? []));
    });
    await session.stopped();
    await session.breakAt();
    await session.breakIn();
    await work(session);
  } finally {
    await client.close();
    host.dispose();
  }
}
