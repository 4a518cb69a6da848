// Debian's kernel at a shell's prompt leaves the host alone: for a minute of its time nearly all that `trapline run` does is wait.
// The world's clock is made of those waits, so nothing here depends on how fast the machine is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunEnvironment } from '../../src/cli/environment.ts';
import { run } from '../../src/cli/run.ts';
import { loadEngineModules } from '../../src/entry/node-files.ts';
import { readWholeFile } from '../../src/entry/regular-file.ts';
import { COMMON_APPEND, guestOrReason } from './linux/run-guest.ts';

const guest = await guestOrReason();
const PROMPT = '/ # ';
const MINUTE = 60_000;
/** What a person types to end a run. */
const ESCAPE = Uint8Array.of(0x01, 'x'.charCodeAt(0));

/** A terminal with a person before it who, once there is a prompt, does nothing for a minute, and leaves. */
class PatientWorld implements RunEnvironment {
  text = '';
  /** Milliseconds. */
  private clock = 0;
  private promptAt: number | undefined;
  private type: (bytes: Uint8Array) => void = () => undefined;
  /** Since the prompt. */
  readonly waits: number[] = [];
  slices = 0;

  readonly input = {
    interactive: true,
    ended: false,
    start: (onBytes: (bytes: Uint8Array) => void) => void (this.type = onBytes),
    stop: () => undefined,
  };
  loadModules = loadEngineModules;
  readFile = readWholeFile;
  createTextFile = (): never => assert.fail('no file is written');
  createByteFile = (): never => assert.fail('no file is written');
  openDisks = (): readonly never[] => [];
  say = (): void => undefined;
  output(bytes: Uint8Array): void {
    this.text = `${this.text}${Buffer.from(bytes).toString('latin1')}`.slice(-4000);
  }
  outputRead(): undefined {}
  readonly endStatus: number | undefined = undefined;
  now(): number {
    return this.clock;
  }
  pause(milliseconds: number): Promise<void> {
    if (this.promptAt === undefined && this.text.includes(PROMPT)) this.promptAt = this.clock;
    this.clock += milliseconds;
    if (this.promptAt !== undefined) {
      if (milliseconds > 0) this.waits.push(milliseconds);
      else this.slices++;
      if (this.clock - this.promptAt > MINUTE) this.type(ESCAPE);
    }
    return Promise.resolve();
  }
}

test(
  'a minute at the prompt: a few wake-ups a second, and no slice of instructions that is full',
  { skip: typeof guest === 'string' ? guest : false, timeout: 300_000 },
  async () => {
    if (typeof guest === 'string') return;
    const world = new PatientWorld();
    const append = `${COMMON_APPEND} quiet trapline.shell`;
    const machine = { cpus: 2, memorySize: 256 << 20, jit: true, profile: 'intel', busLockDetection: false } as const;
    const options = { ...guest, append, ...machine, digest: false, disks: [] };
    assert.equal(await run(options, world), 0);
    const waited = world.waits.reduce((sum, wait) => sum + wait, 0);
    console.log(`${world.waits.length} wake-ups and ${world.slices} full slices in ${Math.round(waited)} ms`);
    assert.ok(waited >= MINUTE);
    assert.ok(world.waits.length < 60 * 20, `${world.waits.length} wake-ups`);
    assert.ok(world.slices < 60, `${world.slices} full slices`);
  },
);
