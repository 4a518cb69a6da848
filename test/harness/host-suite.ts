import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { listFiles } from '../../scripts/files.ts';
import { repositoryRoot } from '../../scripts/process.ts';
import type { HostReport, HostTest } from '../vscode/host/report.ts';

/** Name of the environment variable that tells the suite in the host where to leave its report. */
export const reportVariable = 'TRAPLINE_HOST_REPORT';

/** Bundles the in-host suite (VS Code requires it as CommonJS) and returns the path of its index module. */
export async function bundleHostSuite(): Promise<string> {
  const outdir = path.join(repositoryRoot, 'out', 'host-tests');
  rmSync(outdir, { recursive: true, force: true });
  await build({
    absWorkingDir: repositoryRoot,
    entryPoints: listFiles('test/vscode/host', (file) => file.endsWith('.suite.ts') || file.endsWith('/index.ts')),
    outdir,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    sourcemap: 'inline',
    external: ['vscode', 'mocha'],
    logLevel: 'warning',
  });
  return path.join(outdir, 'index.cjs');
}

/** A place for one report, and the reading of it. */
export class ReportFile {
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'trapline-report-'));
  readonly path = path.join(this.#folder, 'report.json');

  /** The tests that the host reported; undefined when it died before it wrote the report. */
  read(): readonly HostTest[] | undefined {
    if (!existsSync(this.path)) return undefined;
    return (JSON.parse(readFileSync(this.path, 'utf8')) as HostReport).tests;
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export interface HostRun {
  /** Status that VS Code gave: 0 is to be believed only together with a report. */
  readonly exitCode: number;
  readonly tests: readonly HostTest[] | undefined;
}

/** What is wrong with a run; undefined when exit code and report agree that all is well. */
export function faultOf({ exitCode, tests }: HostRun): string | undefined {
  if (tests === undefined) return `the extension host wrote no report (exit code ${exitCode}): it died in the middle`;
  if (tests.length === 0) return 'the suite in the extension host has no test';
  const failed = tests.filter((test) => test.state === 'failed').length;
  if (failed > 0) return `${failed} of ${tests.length} tests failed in the extension host`;
  return exitCode === 0 ? undefined : `VS Code ended with ${exitCode} although no test failed`;
}
