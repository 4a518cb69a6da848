// `npm run bench`: boots the sample guest a few times and prints how fast it ran. For people: no test judges by these numbers.
// usage: run.ts [TIMES]
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runProgram } from '../scripts/process.ts';

interface Stats {
  readonly instructions: number;
  readonly wallMs: number;
  readonly mips: number;
}

const times = Number(process.argv[2] ?? 3);
if (!Number.isInteger(times) || times < 1) throw new Error(`TIMES is a whole number from 1, not ${process.argv[2]}`);
const folder = mkdtempSync(path.join(tmpdir(), 'trapline-bench-'));
try {
  for (let round = 1; round <= times; round += 1) {
    const statsFile = path.join(folder, `${round}.json`);
    const guest = ['--kernel', 'guests/smp/smp.elf', '--smp', '4', '--timeout', '300', '--stats', statsFile];
    const done = await runProgram(process.execPath, ['dist/cli.js', 'run', ...guest]);
    const { instructions, wallMs, mips } = JSON.parse(readFileSync(statsFile, 'utf8')) as Stats;
    const figures = `${instructions} instructions in ${wallMs.toFixed(0)} ms, ${mips.toFixed(1)} million a second`;
    console.log(`round ${round} of ${times}: smp.elf on 4 vCPUs ended with status ${done.status}; ${figures}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
