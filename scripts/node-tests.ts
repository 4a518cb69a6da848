import { inspect } from 'node:util';
import path from 'node:path';
import { run } from 'node:test';
import { messageOf, repositoryRoot } from './process.ts';

/** Outcome of one suite of the test run. */
export interface Outcome {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** What was left out, each with its reason, in words for a person. */
  readonly leftOut: readonly string[];
}

export const nothing: Outcome = { passed: 0, failed: 0, skipped: 0, leftOut: [] };

export interface NodeTestOptions {
  /** Test files at a time. */
  readonly concurrency: number;
  /** Milliseconds that one file may take. */
  readonly timeout: number;
  /** Only tests whose name, or a group's around them, matches; undefined: all. */
  readonly names?: RegExp | undefined;
  /** Receives every finished line of the report. */
  readonly log: (line: string) => void;
}

/** The part of the runner's events that is read here. */
interface TestEvent {
  readonly name: string;
  readonly nesting: number;
  readonly file?: string | undefined;
  readonly skip?: string | boolean | undefined;
  readonly todo?: string | boolean | undefined;
  readonly details: { readonly duration_ms?: number; readonly type?: string | undefined; readonly error?: unknown };
}

/** Why Node skips a test whose name is not asked for. */
const NOT_ASKED_FOR = 'test name does not match pattern';

const relative = (file: string): string => path.relative(repositoryRoot, file).replaceAll('\\', '/');

/** The fault under the runner's own wrapping ("1 subtest failed" and the like are no faults of their own). */
function causeOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? error.cause : error;
}

/** An error and those that caused it. */
function chainOf(error: unknown): unknown[] {
  const chain = [error];
  for (let next = error; next instanceof Error && next.cause !== undefined && chain.length < 5; next = next.cause) {
    chain.push(next.cause);
  }
  return chain;
}

function isOnlyBecauseOfSubtests(error: unknown): boolean {
  return (
    typeof error === 'object' && error !== null && 'failureType' in error && error.failureType === 'subtestsFailed'
  );
}

function explain(event: TestEvent, parents: readonly string[]): string {
  const place = event.file === undefined ? '' : relative(event.file);
  const error = event.details.error;
  const cause = causeOf(error);
  const text = chainOf(cause)
    .map((link) => (link instanceof Error ? (link.stack ?? link.message) : inspect(link)))
    .join('\ncaused by ');
  const detail =
    cause instanceof Error && 'expected' in cause && 'actual' in cause && !text.includes('\n+')
      ? `\nexpected: ${inspect(cause.expected, { depth: 6 })}\nactual:   ${inspect(cause.actual, { depth: 6 })}`
      : '';
  const body = `${text}${detail}`
    .split('\n')
    .filter((line) => !/^\s+at .*\(?node:internal/.test(line))
    .map((line) => `      ${line}`)
    .join('\n');
  const exit =
    error instanceof Error && 'exitCode' in error && typeof error.exitCode === 'number'
      ? `, exit status ${error.exitCode}`
      : '';
  const names = event.name === event.file ? [`${place} as a whole`] : [...parents, event.name];
  return `  FAILED ${names.join(' > ')}  (${place}${exit})\n${body}`;
}

/**
 * Runs test files of node:test, each in a process of its own, and counts the tests (not the groups around them).
 * A file that dies, hangs or has no test at all counts as one failed test.
 */
export async function runNodeTests(files: readonly string[], options: NodeTestOptions): Promise<Outcome> {
  if (files.length === 0) return nothing;
  let passed = 0;
  let failed = 0;
  const skips = new Map<string, number>();
  /** Names of the groups that are open, by file and depth. */
  const open = new Map<string, string[]>();
  const counted = new Set<string>();
  const stream = run({
    files: files.map((file) => path.join(repositoryRoot, file)),
    concurrency: options.concurrency,
    timeout: options.timeout,
    ...(options.names === undefined ? {} : { testNamePatterns: [options.names] }),
  });
  const stderr = new Map<string, string>();
  stream.on('test:stderr', ({ file, message }: { file?: string; message: string }) => {
    stderr.set(file ?? '', ((stderr.get(file ?? '') ?? '') + message).slice(-4000));
  });
  stream.on('test:start', (event: { name: string; nesting: number; file?: string }) => {
    const names = open.get(event.file ?? '') ?? [];
    names.length = event.nesting;
    names[event.nesting] = event.name;
    open.set(event.file ?? '', names);
  });
  // Node says here, and by the file's exit status, what escaped from a test that had ended.
  const escaped: string[] = [];
  stream.on('test:diagnostic', ({ message }: { message: string }) => {
    if (/generated asynchronous activity after the test ended/.test(message)) escaped.push(message);
  });
  const isFile = (event: TestEvent): boolean =>
    event.nesting === 0 && event.file !== undefined && event.name === event.file;
  const parentsOf = (event: TestEvent): string[] => (open.get(event.file ?? '') ?? []).slice(0, event.nesting);
  stream.on('test:pass', (event: TestEvent) => {
    if (options.names !== undefined && event.skip === NOT_ASKED_FOR) return;
    if (event.skip !== undefined && event.skip !== false) {
      const reason = typeof event.skip === 'string' && event.skip !== '' ? event.skip : 'no reason given';
      const line = `${event.file === undefined ? '' : `${relative(event.file)}: `}${event.name} (${reason})`;
      skips.set(line, (skips.get(line) ?? 0) + 1);
      counted.add(event.file ?? '');
    } else if (event.details.type !== 'suite' && !isFile(event)) {
      passed += 1;
      counted.add(event.file ?? '');
    } else if (isFile(event) && !counted.has(event.file ?? '') && options.names === undefined) {
      failed += 1;
      options.log(`  FAILED ${relative(event.file ?? '')} has no test`);
    }
  });
  stream.on('test:fail', (event: TestEvent) => {
    if (isOnlyBecauseOfSubtests(event.details.error)) return;
    failed += 1;
    counted.add(event.file ?? '');
    options.log(explain(event, parentsOf(event)));
    const said = isFile(event) ? stderr.get(event.file ?? '') : undefined;
    if (said !== undefined) options.log(said.trimEnd().replace(/^/gm, '      | '));
  });
  try {
    for await (const _ of stream) {
      // The handlers above do the work; this waits for the end.
    }
  } catch (error) {
    failed += 1;
    options.log(`  FAILED the test runner itself: ${messageOf(error)}`);
  }
  for (const message of escaped) options.log(`  ESCAPED ${message}`);
  const leftOut = [...skips].map(([line, times]) => (times > 1 ? `${line}, ${times} times` : line));
  const skipped = [...skips.values()].reduce((sum, times) => sum + times, 0);
  return { passed, failed, skipped, leftOut };
}
