// The problem matchers of .vscode/tasks.json find file, line and message in what the tools really print.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, it } from 'node:test';
import { build, formatMessages } from 'esbuild';
import { repositoryRoot, runPackage } from '../../scripts/process.ts';

interface Pattern {
  readonly regexp: string;
  readonly file?: number;
  readonly line?: number;
  readonly message?: number;
}
interface Matcher {
  readonly owner: string;
  readonly pattern: Pattern | readonly Pattern[];
}

/** tasks.json is JSON with comments. */
const text = readFileSync(path.join(repositoryRoot, '.vscode/tasks.json'), 'utf8').replace(/^\s*\/\/.*$/gm, '');
const tasks = JSON.parse(text) as {
  readonly tasks: readonly { readonly problemMatcher: Matcher | readonly Matcher[] }[];
};
const matchers = tasks.tasks.flatMap(({ problemMatcher }) => problemMatcher);

/** What VS Code shows of a tool's output: each pattern has to fit the line behind that of the one before. */
function problems(owner: string, output: string): { file: string; line: string; message: string }[] {
  const matcher = matchers.find((candidate) => candidate.owner === owner) ?? assert.fail(owner);
  const patterns = [matcher.pattern].flat() as readonly Pattern[];
  const lines = output.split('\n');
  return lines.flatMap((_, start) => {
    const found = { file: '', line: '', message: '' };
    for (const [index, { regexp, ...groups }] of patterns.entries()) {
      const match = new RegExp(regexp).exec(lines[start + index] ?? '');
      if (match === null) return [];
      for (const name of ['file', 'line', 'message'] as const) found[name] = match[groups[name] ?? -1] ?? found[name];
    }
    return [found];
  });
}

describe('the problem matchers of tasks.json', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'trapline-matchers-'));
  after(() => rmSync(folder, { recursive: true }));

  it("esbuild's", async () => {
    const file = path.join(folder, 'wrong.ts');
    writeFileSync(file, 'const a = 1;\nconst b = ;\n');
    const failure: unknown = await build({ entryPoints: [file], logLevel: 'silent', absWorkingDir: folder }).then(
      () => undefined,
      (error: unknown) => error,
    );
    assert.ok(typeof failure === 'object' && failure !== null && 'errors' in failure && Array.isArray(failure.errors));
    const output = (await formatMessages(failure.errors, { kind: 'error', color: false })).join('');
    assert.deepEqual(problems('esbuild', `bundles: ${output}`), [
      { file: 'wrong.ts', line: '2', message: 'Unexpected ";"' },
    ]);
  });

  it("the AssemblyScript compiler's", async () => {
    writeFileSync(path.join(folder, 'wrong.as.ts'), 'export function f(): u32 {\n  return nowhere;\n}\n');
    // Where the variable CI is set the compiler writes colours, which a task in VS Code does not see.
    const { CI: _, ...env } = process.env;
    const words = ['wrong.as.ts', '--noEmit'];
    const { output } = await runPackage('assemblyscript/bin/asc.js', words, { cwd: folder, env });
    assert.deepEqual(problems('asc', `core: ${output}`), [
      { file: 'wrong.as.ts', line: '2', message: "Cannot find name 'nowhere'." },
    ]);
  });

  it("the generators'", () => {
    const output = 'generated: decoder: src/core/opcodes/arithmetic.ts:27: 0F 3B TRYME Ev,Gv: no file exports it.';
    assert.deepEqual(problems('generator', output), [
      { file: 'src/core/opcodes/arithmetic.ts', line: '27', message: '0F 3B TRYME Ev,Gv: no file exports it.' },
    ]);
  });
});
