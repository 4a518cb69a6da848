// A scripted debug session over the Debug Adapter Protocol, told in the terminal: the tutorial of guests/smp.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import type { DebugProtocol as P } from '@vscode/debugprotocol';
import type { DebugRegistersBody, LedgerBody } from '../src/dap/custom.ts';
import { fromBase64 } from '../src/dap/serial.ts';
import { childProcess, Client } from '../test/dap/client.ts';
import { repositoryRoot } from './process.ts';
import { causesText, dispositionText } from '../src/words/ledger.ts';

const colours = process.stdout.isTTY && process.env['NO_COLOR'] === undefined;
const paint =
  (code: number) =>
  (text: string): string =>
    colours ? `\u001b[${code}m${text}\u001b[0m` : text;
const bold = paint(1);
const dim = paint(2);
const red = paint(31);
const green = paint(32);
const yellow = paint(33);
const cyan = paint(36);

const say = (text = ''): void => void process.stdout.write(`${text}\n`);
let chapter = 0;
const tell = (text: string): void => say(`\n${bold(cyan(`${++chapter}. ${text}`))}`);

const guest = path.join(repositoryRoot, 'guests/smp');
const sourceLine = (file: string, line: number): string =>
  (readFileSync(path.join(guest, file), 'utf8').split('\n')[line - 1] ?? '').trim();
const lineOf = (file: string, text: string): number =>
  readFileSync(path.join(guest, file), 'utf8')
    .split('\n')
    .findIndex((line) => line.includes(text)) + 1;

class Demo {
  private readonly client: Client;
  private serial = '';
  private readonly decoder = new TextDecoder();

  constructor(client: Client) {
    this.client = client;
    client.onMessage = (direction, message) => {
      if (direction === 'from' && message['event'] === 'trapline/serial') {
        const { data } = message['body'] as { data: string };
        this.serial += this.decoder.decode(fromBase64(data), { stream: true });
      }
      if (direction === 'from' && message['event'] === 'output') {
        const { output, category } = message['body'] as P.OutputEvent['body'];
        if (category === 'important' || category === 'console') process.stdout.write(dim(`   console: ${output}`));
      }
    };
  }

  private async stackOf(threadId: number): Promise<P.StackFrame[]> {
    return (await this.client.request<P.StackTraceResponse['body']>('stackTrace', { threadId })).stackFrames;
  }
  private async topFrame(threadId: number): Promise<P.StackFrame> {
    const frame = (await this.stackOf(threadId))[0];
    if (frame === undefined) throw new Error(`thread ${threadId} has no frames`);
    return frame;
  }
  /** Gathers the stopped events of one stop: the focused vCPU's, then those of the others. */
  private async stop(vcpus: number): Promise<P.StoppedEvent['body'][]> {
    const events = [await this.client.stopped()];
    while (events.length < vcpus) events.push(await this.client.event('stopped'));
    return events;
  }

  async play(): Promise<number> {
    const { client } = this;
    const cpus = 4;
    tell(`A machine with ${cpus} vCPUs is powered on, with guests/smp/smp.elf as its kernel`);
    await client.launch(
      {
        kernel: path.join(guest, 'smp.elf'),
        machine: { cpus, memory: '64M' },
        slotPolicy: 'hardware',
        stopOnEntry: true,
        __trapline: true,
      },
      async () => {
        const line = lineOf('worker.c', 'list_insert(list, node);');
        const source = { path: path.join(guest, 'worker.c') };
        const set = await client.request<P.SetBreakpointsResponse['body']>('setBreakpoints', {
          source,
          breakpoints: [{ line }],
        });
        const one = set.breakpoints[0];
        say(
          `   breakpoint ${one?.id} at worker.c:${line}  ${green(sourceLine('worker.c', line))}  ${dim(one?.message ?? '')}`,
        );
      },
    );
    await this.stop(cpus);
    const entry = await this.topFrame(1);
    say(`   stopped at the kernel's entry: ${entry.name} at ${entry.source?.name}:${entry.line}`);

    tell('Continue to the breakpoint; every vCPU has a reason of its own');
    await client.request('continue', { threadId: 1 });
    const stopped = await this.stop(cpus);
    const focus = stopped[0]?.threadId ?? 1;
    await this.showVcpus(stopped);

    tell('Locals where it stopped');
    const frame = await this.topFrame(focus);
    const list = await this.showLocals(frame);

    tell('"Break on Value Change" on list->magic');
    await this.setDataBreakpoints(frame, list, ['magic']);
    await client.request('setBreakpoints', { source: { path: path.join(guest, 'worker.c') }, breakpoints: [] });

    tell('Continue until somebody writes it');
    await client.request('continue', { threadId: focus });
    const written = await this.stop(cpus);
    await this.showVcpus(written);
    const writer = written[0]?.threadId ?? 1;
    const culprit = await this.topFrame(writer);
    say(
      `   ${red(`${culprit.source?.name}:${culprit.line}`)}  after ${green(sourceLine(culprit.source?.name ?? '', (culprit.line ?? 1) - 1))}`,
    );
    for (const expression of [
      'shared_list.magic',
      'shared_list.next_sample',
      'sizeof(shared_list.samples) / sizeof(shared_list.samples[0])',
    ]) {
      const value = await client.request<P.EvaluateResponse['body']>('evaluate', {
        expression,
        frameId: culprit.id,
        context: 'repl',
      });
      say(`   ${expression} = ${bold(value.result)}`);
    }

    tell('Four debug registers, and a fifth data breakpoint');
    await this.setDataBreakpoints(culprit, undefined, ['magic', 'head', 'tail', 'count', 'checksum']);
    await this.showSlots();

    tell('Without data breakpoints to the end');
    await client.request('setDataBreakpoints', { breakpoints: [] });
    await client.request('continue', { threadId: writer });
    const exited = await client.event<P.ExitedEvent['body']>('exited');
    const ledger = await this.client.request<LedgerBody>('trapline/ledger', { from: 0, count: 2000 });

    tell('The trap ledger: whose trap it was, and what became of it');
    this.showLedger(ledger);

    tell("The guest's serial console");
    for (const line of this.serial.trimEnd().split(/\r?\n/)) say(`   ${dim('|')} ${line}`);
    const good = exited.exitCode === 85;
    say(
      `\n${bold((good ? green : red)(`exit status ${exited.exitCode}`))}${good ? ': all self-checks passed, the guest has not noticed the debugger' : ''}`,
    );
    await client.request('disconnect');
    await client.close();
    return good ? 0 : 1;
  }

  private async showVcpus(stopped: readonly P.StoppedEvent['body'][]): Promise<void> {
    const { threads } = await this.client.request<P.ThreadsResponse['body']>('threads');
    for (const thread of threads) {
      const event = stopped.find(({ threadId }) => threadId === thread.id);
      const focused = event === stopped[0];
      const mark = focused ? bold(yellow('>')) : ' ';
      say(
        ` ${mark} ${thread.name.padEnd(26)} ${(focused ? yellow : dim)(`[${event?.description ?? ''}]`)} ${event?.text ?? ''}`,
      );
      for (const frame of await this.stackOf(thread.id)) {
        say(dim(`       ${frame.name.padEnd(22)} ${frame.source?.name ?? ''}:${frame.line}`));
      }
    }
  }

  private async showLocals(frame: P.StackFrame): Promise<P.Variable | undefined> {
    const { scopes } = await this.client.request<P.ScopesResponse['body']>('scopes', { frameId: frame.id });
    const locals = await this.variables(scopes[0]?.variablesReference ?? 0);
    for (const variable of locals) say(`   ${variable.type ?? ''} ${bold(variable.name)} = ${variable.value}`);
    const list = locals.find(({ name }) => name === 'list');
    for (const member of await this.variables(list?.variablesReference ?? 0)) {
      say(dim(`      ${(member.type ?? '').padEnd(18)} ${member.name.padEnd(12)} ${member.value}`));
    }
    return list;
  }
  private async variables(variablesReference: number): Promise<P.Variable[]> {
    if (variablesReference === 0) return [];
    return (await this.client.request<P.VariablesResponse['body']>('variables', { variablesReference })).variables;
  }

  private async setDataBreakpoints(
    frame: P.StackFrame,
    list: P.Variable | undefined,
    members: readonly string[],
  ): Promise<void> {
    const breakpoints: P.DataBreakpoint[] = [];
    for (const member of members) {
      const where =
        list === undefined
          ? { name: `shared_list.${member}`, frameId: frame.id }
          : { name: member, variablesReference: list.variablesReference };
      const info = await this.client.request<P.DataBreakpointInfoResponse['body']>('dataBreakpointInfo', where);
      if (info.dataId === null) throw new Error(info.description);
      breakpoints.push({ dataId: info.dataId, accessType: 'write' });
    }
    const set = await this.client.request<P.SetDataBreakpointsResponse['body']>('setDataBreakpoints', { breakpoints });
    set.breakpoints.forEach((one, index) => {
      say(
        `   ${one.verified ? green('set    ') : red('refused')} ${(members[index] ?? '').padEnd(9)} ${one.message ?? ''}`,
      );
    });
  }

  private async showSlots(): Promise<void> {
    const body = await this.client.request<DebugRegistersBody>('trapline/debugRegisters');
    const first = body.vcpus[0];
    say(`   vCPU 0: host ${first?.hostInUse} of 4 in use, guest ${first?.guestInUse} of 4`);
    for (const row of first?.rows ?? []) {
      const what = row.enabled ? `${row.type} ${row.length} at ${row.symbol ?? row.address}` : 'off';
      say(dim(`      ${row.bank.padEnd(5)} DR${row.index}  ${row.owner.padEnd(26)} ${what}`));
    }
  }

  private showLedger(ledger: LedgerBody): void {
    const count = (accept: (row: LedgerBody['rows'][number]) => boolean): number => ledger.rows.filter(accept).length;
    const reinjected = (vector: number): number =>
      count((row) => row.vector === vector && row.disposition === 'reinjected');
    say(
      `   ${ledger.size} traps; of the first ${ledger.rows.length}: ${count((row) => row.owner === 'host')} host-owned, ${reinjected(3)} #BP and ${reinjected(1)} #DB re-injected`,
    );
    const host = ledger.rows.findIndex((row) => row.owner === 'host' && row.vector === 1);
    const from = Math.max(0, host - 3);
    for (const row of ledger.rows.slice(from, from + 7)) {
      const owner = row.owner === 'host' ? yellow('host ') : cyan('guest');
      const vector = row.vector === 3 ? '#BP' : row.vector === 1 ? '#DB' : `#${row.vector}`;
      say(
        `   ${String(row.sequence).padStart(5)} ${dim(`${(Number(row.clock) / 1e6).toFixed(3)} ms`)} vCPU ${row.vcpu} ${vector} ${owner} ${dispositionText(row.disposition).padEnd(12)} ${row.symbol ?? row.rip} ${dim(causesText(row))}`,
      );
    }
  }
}

const cli = path.join(repositoryRoot, 'dist/cli.js');
if (!existsSync(cli)) {
  say('dist/cli.js is not there: run npm run demo, which builds it.');
  process.exitCode = 1;
} else {
  const started = performance.now();
  const status = await new Demo(new Client(childProcess(process.execPath, [cli, 'dap']))).play();
  say(dim(`${((performance.now() - started) / 1000).toFixed(1)} s`));
  process.exitCode = status;
}
