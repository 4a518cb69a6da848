// Each import rule of .dependency-cruiser.cjs is shown to bite: a breach of it is planted into a small tree of its own.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { repositoryRoot, runPackage } from '../../scripts/process.ts';

/** A file, what it imports, and the rule that this breaks (none: allowed). */
interface Plant {
  readonly file: string;
  readonly imports: string;
  readonly rule?: string;
}

const plants: readonly Plant[] = [
  { file: 'src/core/a.ts', imports: '../machine/ok.ts', rule: 'one-way-core' },
  { file: 'src/jit/a.ts', imports: '../machine/ok.ts', rule: 'one-way-jit' },
  { file: 'src/machine/a.ts', imports: '../guestdebug/ok.ts', rule: 'one-way-machine' },
  { file: 'src/symbols/a.ts', imports: '../guestdebug/ok.ts', rule: 'one-way-symbols' },
  { file: 'src/guestdebug/a.ts', imports: '../debugger/ok.ts', rule: 'one-way-guestdebug' },
  { file: 'src/debugger/a.ts', imports: '../dap/ok.ts', rule: 'one-way-debugger' },
  { file: 'src/dap/a.ts', imports: '../vscode/ok.ts', rule: 'one-way-dap' },
  { file: 'src/dap/b.ts', imports: '../entry/ok.ts', rule: 'one-way-dap' },
  { file: 'src/vscode/a.ts', imports: '../entry/ok.ts', rule: 'one-way-vscode' },
  { file: 'src/webview/a.client.ts', imports: '../dap/ok.ts', rule: 'one-way-webview' },
  { file: 'src/dap/c.ts', imports: 'vscode', rule: 'vscode-only-on-top' },
  { file: 'test/machine/a.test.ts', imports: 'vscode', rule: 'vscode-only-on-top' },
  { file: 'src/symbols/b.ts', imports: 'node:fs', rule: 'no-node-below-entry' },
  { file: 'src/symbols/c.ts', imports: 'fs', rule: 'no-node-below-entry' },
  { file: 'src/vscode/b.ts', imports: 'node:path', rule: 'no-node-below-entry' },
  { file: 'src/dap/d.ts', imports: './nowhere.ts', rule: 'not-resolvable' },
  { file: 'src/dap/e.ts', imports: './ok.test.ts', rule: 'product-without-tests' },
  { file: 'src/dap/f.ts', imports: '../../test/harness/ok.ts', rule: 'product-without-tests' },
  { file: 'src/dap/round1.ts', imports: './round2.ts', rule: 'no-circular' },
  { file: 'src/cli/a.ts', imports: '../vscode/ok.ts', rule: 'one-way-cli' },
  { file: 'src/machine/b.ts', imports: '../core/layout.ts', rule: 'state-by-name' },
  { file: 'src/guestdebug/c.ts', imports: '../core/layout.ts', rule: 'state-by-name' },
  { file: 'src/debugger/c.test.ts', imports: '../core/state-table.ts', rule: 'state-by-name' },
  { file: 'src/dap/state.ts', imports: '../core/state-layout.generated.ts', rule: 'state-by-name' },
  { file: 'src/cli/b.ts', imports: '../core/layout.ts', rule: 'state-by-name' },
  { file: 'src/vscode/e.ts', imports: '../core/layout.ts', rule: 'state-by-name' },
  { file: 'src/debugger/d.ts', imports: '../words/ok.ts', rule: 'one-way-debugger' },
  { file: 'src/guestdebug/e.ts', imports: '../words/ok.ts', rule: 'one-way-guestdebug' },
  { file: 'src/words/a.ts', imports: '../dap/ok.ts', rule: 'one-way-words' },
  { file: 'src/words/b.ts', imports: '../guestdebug/ok.ts' },
  { file: 'src/words/c.ts', imports: '../core/state-values.ts' },
  { file: 'src/dap/j.ts', imports: '../words/ok.ts' },
  { file: 'src/webview/b.client.ts', imports: '../words/ok.ts' },
  { file: 'src/words/value.ts', imports: '../guestdebug/value.ts', rule: 'words-of-types' },
  { file: 'src/attic/a.ts', imports: '../core/ok.ts', rule: 'known-rooms' },
  { file: 'src/debugger/c.ts', imports: '@vscode/debugadapter/lib/handles.js', rule: 'protocol-package-in-dap' },
  { file: 'src/dap/h.ts', imports: '@vscode/debugadapter/lib/logger.js', rule: 'packages-at-run-time' },
  { file: 'src/dap/i.ts', imports: '@vscode/debugadapter/lib/handles.js' },
  { file: 'src/entry/a.ts', imports: '../vscode/ok.ts' },
  { file: 'src/entry/b.ts', imports: 'vscode' },
  { file: 'src/entry/c.ts', imports: 'node:fs' },
  { file: 'src/vscode/c.ts', imports: 'vscode' },
  { file: 'src/vscode/d.ts', imports: '../webview/ok.ts' },
  { file: 'src/dap/g.ts', imports: '../debugger/ok.ts' },
  { file: 'src/debugger/b.ts', imports: '../symbols/ok.ts' },
  { file: 'src/guestdebug/b.ts', imports: '../core/ok.ts' },
  { file: 'src/jit/b.ts', imports: '../core/layout.ts' },
  { file: 'src/machine/machine-state.ts', imports: '../core/layout.ts' },
  { file: 'src/guestdebug/d.ts', imports: '../core/state-values.ts' },
  { file: 'src/symbols/d.test.ts', imports: 'node:fs' },
];
const folders = [
  'core',
  'jit',
  'machine',
  'symbols',
  'guestdebug',
  'debugger',
  'words',
  'dap',
  'vscode',
  'webview',
  'entry',
];

interface Violation {
  readonly from: string;
  readonly rule: { readonly name: string };
}

/** Runs the checker on the planted tree and returns the rules that each file breaks. */
async function violationsIn(tree: string): Promise<Map<string, string[]>> {
  const config = path.join(repositoryRoot, '.dependency-cruiser.cjs');
  const script = 'dependency-cruiser/bin/dependency-cruise.mjs';
  const done = await runPackage(script, ['--config', config, '--output-type', 'json', 'src', 'test'], { cwd: tree });
  const report = JSON.parse(done.stdout) as { summary: { violations: Violation[] } };
  const broken = new Map<string, string[]>();
  for (const { from, rule } of report.summary.violations) broken.set(from, [...(broken.get(from) ?? []), rule.name]);
  return broken;
}

test('every planted breach of an import rule is found, and nothing else', async (t) => {
  const tree = mkdtempSync(path.join(tmpdir(), 'trapline-imports-'));
  t.after(() => rmSync(tree, { recursive: true, force: true }));
  const write = (file: string, text: string): void => {
    mkdirSync(path.dirname(path.join(tree, file)), { recursive: true });
    writeFileSync(path.join(tree, file), text);
  };
  write('package.json', '{ "type": "module", "dependencies": { "@vscode/debugadapter": "1.0.0" } }');
  write('node_modules/@vscode/debugadapter/package.json', '{ "name": "@vscode/debugadapter", "version": "1.0.0" }');
  for (const name of ['handles', 'logger']) {
    write(`node_modules/@vscode/debugadapter/lib/${name}.d.ts`, 'export type Ok = true;\n');
    write(`node_modules/@vscode/debugadapter/lib/${name}.js`, '');
  }
  write('tsconfig.json', '{ "compilerOptions": { "allowImportingTsExtensions": true, "noEmit": true } }');
  for (const folder of folders) write(`src/${folder}/ok.ts`, 'export type Ok = true;\n');
  for (const file of ['layout', 'state-layout.generated', 'state-table', 'state-values'])
    write(`src/core/${file}.ts`, 'export type Ok = true;\n');
  write('src/dap/ok.test.ts', 'export type Ok = true;\n');
  write('test/harness/ok.ts', 'export type Ok = true;\n');
  // A type is an import too.
  for (const { file, imports } of plants)
    write(file, `import type { Ok } from '${imports}';\nexport type Same = Ok;\n`);
  for (const round of ['round1', 'round2']) {
    const other = round === 'round1' ? 'round2' : 'round1';
    write(
      `src/dap/${round}.ts`,
      `import { ${other} } from './${other}.ts';\nexport const ${round} = () => ${other};\n`,
    );
  }
  write('src/guestdebug/value.ts', 'export const value = 1;\n');
  write('src/words/value.ts', "export { value } from '../guestdebug/value.ts';\n");
  const broken = await violationsIn(tree);
  for (const { file, imports, rule } of plants) {
    await t.test(`${file} ${rule === undefined ? 'may import' : 'may not import'} ${imports}`, () => {
      assert.deepEqual(broken.get(file) ?? [], rule === undefined ? [] : [rule]);
    });
  }
});
