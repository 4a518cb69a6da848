/** `trapline dap --port` in a process of its own, for tests of what a server outlives. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { GUARD_PREFIX } from '../../src/entry/guard.ts';

const repository = fileURLToPath(new URL('../../', import.meta.url));

export interface AdapterServerOptions {
  /** Options of Node itself. */
  readonly node?: readonly string[];
  /** What is started: the bundle, as users have it, or the sources. */
  readonly from?: 'bundle' | 'sources';
}

export class AdapterServer {
  readonly port: number;
  private readonly child: ChildProcessByStdio<null, null, Readable>;
  private readonly said: () => string;

  private constructor(child: ChildProcessByStdio<null, null, Readable>, port: number, said: () => string) {
    this.child = child;
    this.port = port;
    this.said = said;
  }

  static async start({ node = [], from = 'sources' }: AdapterServerOptions = {}): Promise<AdapterServer> {
    const program =
      from === 'bundle'
        ? [path.join(repository, 'dist/cli.js')]
        : ['--import', 'tsx', path.join(repository, 'src/entry/cli.ts')];
    const child = spawn(process.execPath, [...node, ...program, 'dap', '--port', '0', '--no-token'], {
      cwd: repository,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let text = '';
    child.stderr.setEncoding('utf8').on('data', (part: string) => (text += part));
    let port: string | undefined;
    while (port === undefined) {
      await Promise.race([
        once(child.stderr, 'data'),
        once(child, 'exit').then(() => {
          throw new Error(`the server ended at once: ${text}`);
        }),
      ]);
      port = /127\.0\.0\.1:(\d+)/.exec(text)?.[1];
    }
    return new AdapterServer(child, Number(port), () => text);
  }

  /** All that the server has written to standard error. */
  get stderr(): string {
    return this.said();
  }
  /** Lines of mistakes that only the last net caught; a test with one has failed. */
  get faults(): readonly string[] {
    return this.stderr.split('\n').filter((line) => line.includes(GUARD_PREFIX));
  }
  get alive(): boolean {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  /** What each open descriptor of the server leads to; files only, since sockets come and go. */
  openFiles(): readonly string[] {
    const folder = `/proc/${this.child.pid}/fd`;
    return readdirSync(folder)
      .map((name) => {
        try {
          return readlinkSync(`${folder}/${name}`);
        } catch {
          return ''; // closed in between
        }
      })
      .filter((target) => target.startsWith('/') && !target.startsWith('/dev/'))
      .sort();
  }
  /** Number of all descriptors. */
  descriptors(): number {
    return readdirSync(`/proc/${this.child.pid}/fd`).length;
  }
  /** Resident memory in MB. */
  memory(): number {
    const status = readFileSync(`/proc/${this.child.pid}/status`, 'utf8');
    return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024;
  }

  /** Ends the server; throws when it had died by itself or the last net had to catch something. */
  async stop(): Promise<void> {
    const { alive, faults } = this;
    if (alive) {
      this.child.kill('SIGKILL');
      await once(this.child, 'exit');
    }
    if (!alive) throw new Error(`the server died: ${this.stderr.slice(-2000)}`);
    if (faults.length > 0) throw new Error(`the server passed over errors:\n${faults.join('\n')}`);
  }
}
