/**
 * Golden transcripts: a session over DAP written down so that a person can read it as a story. What differs from machine
 * to machine (paths, pace of serial output) is left out or replaced. UPDATE_GOLDEN=1 writes the files anew.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { createNodeAdapterHost } from '../../src/entry/node-adapter-host.ts';
import type { Message } from './client.ts';
import { Client, inProcess, RequestFailed } from './client.ts';

export const repository = fileURLToPath(new URL('../../', import.meta.url)).replace(/[/\\]$/, '');
export const guest = path.join(repository, 'guests/smp');
const goldenFolder = fileURLToPath(new URL('./golden/', import.meta.url));

/** Not part of a story: sent at a pace of the wall clock, or only said to our own views. */
const left = (message: Message): boolean => {
  if (String(message['event']).startsWith('trapline/')) return true;
  const body = message['body'];
  return (
    message['event'] === 'output' &&
    typeof body === 'object' &&
    body !== null &&
    'category' in body &&
    body.category === 'stdout'
  );
};

export class Story {
  readonly client: Client;
  private readonly lines: string[] = [];
  private readonly host = createNodeAdapterHost();
  private muted = false;

  constructor(title: string) {
    this.lines.push(`# ${title}`);
    this.client = new Client(inProcess(this.host));
    this.client.onMessage = (direction, message) => {
      if (!this.muted && !left(message)) this.lines.push(...render(direction, message));
    };
  }

  /** A line of narration. */
  tell(text: string): void {
    this.lines.push('', `## ${text}`);
  }
  /** Requests that every story has and none is about. */
  async quietly<Result>(work: () => Promise<Result>): Promise<Result> {
    this.muted = true;
    try {
      return await work();
    } finally {
      this.muted = false;
    }
  }
  request<Body = unknown>(command: string, argument?: unknown): Promise<Body> {
    return this.client.request<Body>(command, argument);
  }
  /** A request that is to be refused. */
  async refused(command: string, argument?: unknown): Promise<RequestFailed> {
    try {
      await this.client.request(command, argument);
    } catch (error) {
      if (error instanceof RequestFailed) return error;
      throw error;
    }
    throw new assert.AssertionError({ message: `${command} was expected to be refused` });
  }
  note(text: string): void {
    this.lines.push(`   ${text}`);
  }

  /** Ends the session and compares with test/dap/golden/<name>.txt. */
  async end(name: string): Promise<void> {
    await this.quietly(() => this.client.request('disconnect').catch(() => undefined));
    await this.client.close();
    this.host.dispose();
    const text = `${this.lines.join('\n').replaceAll(repository, '$REPOSITORY')}\n`;
    const file = path.join(goldenFolder, `${name}.txt`);
    if (process.env['UPDATE_GOLDEN'] === '1') {
      mkdirSync(goldenFolder, { recursive: true });
      writeFileSync(file, text);
      return;
    }
    assert.equal(
      text,
      readFileSync(file, 'utf8'),
      `the session differs from ${file}; if it is right, run with UPDATE_GOLDEN=1`,
    );
  }
}

function render(direction: 'to' | 'from', message: Message): string[] {
  if (direction === 'to') return block(`-> ${String(message['command'])}`, message['arguments']);
  if (message['type'] === 'event') return block(`*  ${String(message['event'])}`, message['body']);
  const head = `<- ${String(message['command'])}`;
  return message['success'] === true ? block(head, message['body']) : [`${head} FAILED: ${String(message['message'])}`];
}

/** Small bodies on one line; lists of objects with one element a line. */
function block(head: string, body: unknown): string[] {
  if (body === undefined) return [head];
  if (typeof body !== 'object' || body === null) return [`${head} ${show(body)}`];
  const entries = Object.entries(body as Readonly<Record<string, unknown>>);
  const lists = entries.filter(([, value]) => Array.isArray(value) && value.some((one) => typeof one === 'object'));
  const rest = entries.filter((entry) => !lists.includes(entry));
  const lines = [
    rest.length === 0 ? head : `${head} ${rest.map(([name, value]) => `${name}: ${show(value)}`).join(', ')}`,
  ];
  for (const [name, value] of lists) {
    lines.push(`     ${name}:`);
    for (const one of value as unknown[]) lines.push(`       ${show(one)}`);
  }
  return lines;
}

function show(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(show).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    return `{ ${Object.entries(value)
      .map(([name, one]) => `${name}: ${show(one)}`)
      .join(', ')} }`;
  }
  return typeof value === 'string' && /^[\w$./<>+:-]+$/.test(value) ? value : (JSON.stringify(value) ?? String(value));
}
