// A debug session of the sample guest through VS Code's API, inside the extension host.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'mocha';
import * as vscode from 'vscode';
import type { DebugRegistersBody, LedgerBody, MachineBody } from '../../../src/dap/custom.ts';

const LIST_INSERT_LINE = 79;

interface Message {
  readonly type: string;
  readonly event?: string;
  readonly command?: string;
  readonly body?: Readonly<Record<string, unknown>>;
}
interface Frame {
  readonly id: number;
  readonly name: string;
  readonly line: number;
  readonly source?: { readonly path?: string };
}
interface Variable {
  readonly name: string;
  readonly value: string;
  readonly variablesReference: number;
}

/** Everything that the adapter said, and a way to wait for more of it. */
class Listener implements vscode.DebugAdapterTrackerFactory {
  readonly messages: Message[] = [];
  readonly #waiting: { readonly wanted: (message: Message) => boolean; readonly found: (message: Message) => void }[] =
    [];

  /** The session that was started last. */
  session: vscode.DebugSession | undefined;

  createDebugAdapterTracker(session: vscode.DebugSession): vscode.DebugAdapterTracker {
    this.session = session;
    return { onDidSendMessage: (message: Message) => this.#note(message) };
  }

  #note(message: Message): void {
    this.messages.push(message);
    for (const waiting of this.#waiting.filter(({ wanted }) => wanted(message))) {
      this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
      waiting.found(message);
    }
  }

  /** The next event of a name (that says something of its own) from now on. */
  next(event: string, wanted: (body: Readonly<Record<string, unknown>>) => boolean = () => true): Promise<Message> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no ${event} event in 60 s`)), 60_000);
      const found = (message: Message): void => {
        clearTimeout(timer);
        resolve(message);
      };
      this.#waiting.push({ wanted: (message) => message.event === event && wanted(message.body ?? {}), found });
    });
  }
}

const folder = (): vscode.WorkspaceFolder => {
  const found = vscode.workspace.workspaceFolders?.[0];
  assert.ok(found);
  return found;
};
const configuration = (more: object = {}): vscode.DebugConfiguration => ({
  type: 'trapline',
  request: 'launch',
  name: 'In the host',
  kernel: '${workspaceFolder}/smp.elf',
  sourceMap: { '/trapline/guests/smp': '${workspaceFolder}' },
  machine: { cpus: 4, memory: '128M' },
  stopOnEntry: true,
  slotPolicy: 'hardware',
  ...more,
});
const lineOf = (name: string, line: number): vscode.SourceBreakpoint =>
  new vscode.SourceBreakpoint(
    new vscode.Location(vscode.Uri.joinPath(folder().uri, name), new vscode.Position(line - 1, 0)),
  );
const focused = (body: Readonly<Record<string, unknown>>): boolean => body['allThreadsStopped'] === true;

describe('a debug session of the sample guest', () => {
  const listener = new Listener();
  let tracking: vscode.Disposable | undefined;

  before(() => {
    tracking = vscode.debug.registerDebugAdapterTrackerFactory('trapline', listener);
  });
  after(() => tracking?.dispose());
  afterEach(async () => {
    const { activeDebugSession } = vscode.debug;
    if (activeDebugSession !== undefined) {
      const ended = new Promise<void>((resolve) => {
        const listening = vscode.debug.onDidTerminateDebugSession(() => {
          listening.dispose();
          resolve();
        });
      });
      await vscode.debug.stopDebugging();
      await ended;
    }
    vscode.debug.removeBreakpoints(vscode.debug.breakpoints);
    listener.messages.length = 0;
  });

  async function start(more: object = {}): Promise<{ session: vscode.DebugSession; entry: Message }> {
    const stopped = listener.next('stopped', focused);
    assert.ok(await vscode.debug.startDebugging(folder(), configuration(more)), 'the session starts');
    const entry = await stopped;
    const { session } = listener;
    assert.ok(session);
    return { session, entry };
  }

  async function resume(session: vscode.DebugSession): Promise<number> {
    const stopped = listener.next('stopped', focused);
    await session.customRequest('continue', { threadId: 1 });
    const { body } = await stopped;
    return Number(body?.['threadId']);
  }

  const ask = async <Body>(session: vscode.DebugSession, command: string, argument?: object): Promise<Body> =>
    (await session.customRequest(command, argument)) as Body;

  it('stops at the entry, with a reason for each vCPU', async () => {
    const { session, entry } = await start();
    assert.equal(entry.body?.['reason'], 'entry');
    const { threads } = await ask<{ threads: { id: number; name: string }[] }>(session, 'threads');
    assert.deepEqual(
      threads.map(({ name }) => name.slice(0, 6)),
      ['vCPU 0', 'vCPU 1', 'vCPU 2', 'vCPU 3'],
    );
    const machine = await ask<MachineBody>(session, 'trapline/machine');
    assert.equal(machine.vcpus.length, 4);
    for (const vcpu of machine.vcpus) assert.notEqual(vcpu.sentence, '', `vCPU ${vcpu.vcpu} has a sentence`);
  });

  it('stops at a source breakpoint, shows the stack and the variables', async () => {
    vscode.debug.addBreakpoints([lineOf('worker.c', LIST_INSERT_LINE)]);
    const { session } = await start();
    const threadId = await resume(session);
    const { stackFrames } = await ask<{ stackFrames: Frame[] }>(session, 'stackTrace', { threadId });
    assert.match(stackFrames[0]?.name ?? '', /^insert_one/);
    assert.equal(stackFrames[0]?.line, LIST_INSERT_LINE);
    // VS Code writes the path of a remote file as a URI.
    assert.ok(stackFrames[0].source?.path?.endsWith(vscode.Uri.joinPath(folder().uri, 'worker.c').path));
    const frameId = stackFrames[0].id;
    const { scopes } = await ask<{ scopes: Variable[] }>(session, 'scopes', { frameId });
    const locals = scopes.find((scope) => scope.name === 'Locals')?.variablesReference;
    const { variables } = await ask<{ variables: Variable[] }>(session, 'variables', { variablesReference: locals });
    const list = variables.find((variable) => variable.name === 'list');
    assert.match(list?.value ?? '', /shared_list/);
    const magic = await ask<{ result: string }>(session, 'evaluate', {
      expression: 'list->magic',
      frameId,
      context: 'watch',
    });
    assert.equal(magic.result, '1414744396');
  });

  it('finds who breaks the list by a data breakpoint, and accounts for the slot', async () => {
    const { session } = await start();
    const { dataId } = await ask<{ dataId: string }>(session, 'dataBreakpointInfo', { name: 'shared_list.magic' });
    const set = await ask<{ breakpoints: { verified: boolean }[] }>(session, 'setDataBreakpoints', {
      breakpoints: [{ dataId, accessType: 'write' }],
    });
    assert.equal(set.breakpoints[0]?.verified, true);
    const registers = await ask<DebugRegistersBody>(session, 'trapline/debugRegisters');
    assert.deepEqual(
      registers.vcpus.map(({ hostInUse }) => hostInUse),
      [1, 1, 1, 1],
    );
    // The kernel clears its memory and makes the list first.
    const writers: (string | undefined)[] = [];
    for (let stops = 0; stops < 5 && writers.at(-1) !== 'remember_sample'; stops += 1) {
      const threadId = await resume(session);
      const { stackFrames } = await ask<{ stackFrames: Frame[] }>(session, 'stackTrace', { threadId });
      writers.push(stackFrames[0]?.name);
      if (writers.at(-1) === 'remember_sample') assert.equal(threadId, 3, 'vCPU 2 is thread 3');
    }
    assert.equal(writers.at(-1), 'remember_sample', writers.join(', '));
    const machine = await ask<MachineBody>(session, 'trapline/machine');
    assert.match(machine.vcpus[2]?.sentence ?? '', /0x5453494c -> 0x2023f/);
    const ledger = await ask<LedgerBody>(session, 'trapline/ledger', { from: 0, count: 2000 });
    const words = ledger.rows.map(({ vector, owner, disposition }) => `${vector} ${owner} ${disposition}`);
    for (const wanted of ['3 guest reinjected', '1 guest reinjected', '1 host stopped']) {
      assert.ok(words.includes(wanted), wanted);
    }
  });

  it('steps one vCPU alone by our command', async () => {
    await start();
    const stopped = listener.next('stopped', focused);
    await vscode.commands.executeCommand('trapline.stepOnlyThisVcpu', 1, {});
    const { body } = await stopped;
    assert.equal(body?.['reason'], 'step');
    assert.equal(body['threadId'], 1);
  });

  it('restarts in the same session', async () => {
    vscode.debug.addBreakpoints([lineOf('worker.c', LIST_INSERT_LINE)]);
    const { session } = await start();
    await resume(session);
    const entry = listener.next('stopped', (body) => body['reason'] === 'entry');
    await vscode.commands.executeCommand('workbench.action.debug.restart');
    await entry;
    const machine = await ask<MachineBody>(session, 'trapline/machine');
    assert.equal(machine.clock, '0');
  });

  it('runs to the end with its output in a terminal, and a fitting exit status', async () => {
    const exited = listener.next('exited');
    const ended = new Promise<void>((resolve) => {
      const listening = vscode.debug.onDidTerminateDebugSession(() => {
        listening.dispose();
        resolve();
      });
    });
    assert.ok(await vscode.debug.startDebugging(folder(), configuration({ stopOnEntry: false, name: 'To the end' })));
    assert.equal((await exited).body?.['exitCode'], 85);
    await ended;
    assert.ok(vscode.window.terminals.some(({ name }) => name === 'Serial console: To the end'));
    const serial = listener.messages.filter(({ event }) => event === 'trapline/serial');
    const text = serial.map(({ body }) => Buffer.from(String(body?.['data']), 'base64').toString('utf8')).join('');
    assert.match(text, /all checks passed/);
  });

  it('takes the path of a kernel relative to the folder', async () => {
    const stopped = listener.next('stopped', focused);
    const started = await vscode.debug.startDebugging(
      folder(),
      configuration({ kernel: 'smp.elf', name: 'Relative path' }),
    );
    assert.ok(started);
    await stopped;
  });

  it('refuses a wrong configuration before anything starts', async () => {
    assert.equal(await vscode.debug.startDebugging(folder(), configuration({ machine: { cpus: 17 } })), false);
    assert.equal(await vscode.debug.startDebugging(folder(), configuration({ kernel: 'no-such.elf' })), false);
    assert.equal(vscode.debug.activeDebugSession, undefined);
  });
});
