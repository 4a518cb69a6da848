/** The lock of a writable disk, with processes of their own. */
import assert from 'node:assert/strict';
import { fork, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { fileLockOwner, takeFileLock } from '../../src/entry/file-lock.ts';
import type { Answer, Order } from './lock-contender.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'trapline-lock-'));
after(() => rmSync(folder, { recursive: true }));

const CONTENDERS = 8;
const ROUNDS = 100;

class Contender {
  readonly child: ChildProcess;
  private readonly answers: Answer[] = [];
  private wake: () => void = () => undefined;

  constructor() {
    this.child = fork(fileURLToPath(new URL('./lock-contender.ts', import.meta.url)), {
      execArgv: ['--import', 'tsx'],
    });
    this.child.on('message', (answer: Answer) => {
      this.answers.push(answer);
      this.wake();
    });
  }
  async answer(): Promise<Answer> {
    while (this.answers.length === 0) await new Promise<void>((resolve) => (this.wake = resolve));
    return this.answers.shift() ?? 'ready';
  }
  ask(order: Order): Promise<Answer> {
    this.child.send(order);
    return this.answer();
  }
  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    if (this.child.exitCode === null && this.child.signalCode === null) await once(this.child, 'exit');
  }
}

/** A process id that nobody has. */
function deadPid(): number {
  return spawnSync(process.execPath, ['-e', '']).pid;
}

test(`of ${CONTENDERS} processes at once over a dead owner's lock exactly one gets it, ${ROUNDS} times of ${ROUNDS}`, async () => {
  const file = path.join(folder, 'image.lock');
  const contenders = Array.from({ length: CONTENDERS }, () => new Contender());
  try {
    await Promise.all(contenders.map((one) => one.answer()));
    const pid = deadPid();
    // What a process leaves that was killed: while it had the lock, and in the middle of taking a dead one over.
    const id = 'd'.repeat(32);
    const owner = new Contender();
    await owner.answer();
    assert.equal(await owner.ask({ take: file, at: 0 }), 'locked');
    const left = readFileSync(file, 'utf8');
    await owner.kill();
    rmSync(file);
    for (let round = 0; round < ROUNDS; round++) {
      const record = round % 3 === 0 ? `${pid}\n` : left;
      writeFileSync(file, record);
      const right = round % 3 === 0 ? `pid${pid}` : /"id":"(\w+)"/.exec(left)?.[1];
      if (round % 2 === 1) writeFileSync(`${file}-${right}`, left.replace(/"id":"\w+"/, `"id":"${id}"`));
      const at = Date.now() + 5;
      const answers = await Promise.all(contenders.map((one) => one.ask({ take: file, at })));
      const winner = answers.indexOf('locked');
      assert.equal(
        answers.filter((answer) => answer === 'locked').length,
        1,
        `round ${round}: ${JSON.stringify(answers)}`,
      );
      const expected = { owner: contenders[winner]?.child.pid };
      answers.forEach((answer, index) => {
        if (index !== winner) assert.deepEqual(answer, expected, `round ${round}: ${JSON.stringify(answers)}`);
      });
      assert.equal(fileLockOwner(file)?.pid, expected.owner);
      assert.equal(await contenders[winner]?.ask('release'), 'released');
      assert.deepEqual(readdirSync(folder), [], 'nothing is left behind');
    }
  } finally {
    await Promise.all(contenders.map((one) => one.kill()));
  }
});

test('a lock is let go when its process ends by itself, and judged dead when it was killed', async () => {
  const file = path.join(folder, 'ends.lock');
  const script = (end: string): string => `
    const { takeFileLock } = await import(${JSON.stringify(new URL('../../src/entry/file-lock.ts', import.meta.url).href)});
    takeFileLock(${JSON.stringify(file)});
    ${end}`;
  const run = (end: string) =>
    spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script(end)]);
  for (const end of ['', 'process.exit(3)', 'throw new Error("x")']) {
    run(end);
    assert.equal(existsSync(file), false, end);
  }
  run(`process.kill(process.pid, 'SIGKILL'); await new Promise(() => undefined);`);
  assert.equal(existsSync(file), true);
  assert.equal(fileLockOwner(file), undefined);
  const lock = takeFileLock(file);
  assert.ok(!('owner' in lock));
  lock.release();
  lock.release();
  assert.deepEqual(readdirSync(folder), []);
});

test("a lock of another computer's process is not judged from here", () => {
  const file = path.join(folder, 'elsewhere.lock');
  const record = { pid: deadPid(), host: 'another.example pid:[1]', id: 'a'.repeat(32) };
  writeFileSync(file, `${JSON.stringify(record)}\n`);
  assert.deepEqual(takeFileLock(file), { owner: { pid: record.pid, elsewhere: 'another.example' } });
  rmSync(file);
});
