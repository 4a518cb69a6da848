/**
 * The adapter's room for a browser worker: bundled without any built-in of Node, and alive in a context that has nothing
 * but what the web platform and JavaScript have in common.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createContext, runInContext } from 'node:vm';
import { build } from 'esbuild';
import { repository } from './story.ts';

type Message = Readonly<Record<string, unknown>>;

/** What the bundle's global shows to the test. */
interface Room {
  createAdapter(
    host: object,
    send: (message: Message) => void,
  ): { readonly server: { handleMessage(message: object): void } };
}

/** `require("events")` finds the npm package of that name: the only built-in that @vscode/debugadapter's server touches. */
async function bundle(): Promise<{ readonly code: string; readonly inputs: readonly string[] }> {
  const result = await build({
    absWorkingDir: repository,
    entryPoints: ['src/dap/adapter.ts'],
    bundle: true,
    write: false,
    metafile: true,
    platform: 'browser',
    format: 'iife',
    globalName: 'room',
    target: 'chrome120',
    logLevel: 'silent',
  });
  const imports = Object.values(result.metafile.outputs).flatMap((output) => output.imports);
  assert.deepEqual(imports, [], 'nothing is left to be imported');
  return { code: result.outputFiles[0]?.text ?? '', inputs: Object.keys(result.metafile.inputs) };
}

describe('the adapter in a browser worker', () => {
  it('brings four files of npm packages along, and no built-in of Node', async () => {
    const { inputs } = await bundle();
    const packages = inputs.filter((input) => input.includes('node_modules/')).sort();
    assert.deepEqual(packages, [
      'node_modules/@vscode/debugadapter/lib/handles.js',
      'node_modules/@vscode/debugadapter/lib/messages.js',
      'node_modules/@vscode/debugadapter/lib/protocol.js',
      'node_modules/events/events.js',
    ]);
  });

  it('initializes, and refuses a launch with a sentence', async () => {
    const { code } = await bundle();
    // No process, no Buffer, no require: Node's own globals are not those of a new context.
    const context = createContext({ TextDecoder, TextEncoder, setTimeout, clearTimeout, AbortController });
    assert.equal(
      runInContext('typeof process + typeof Buffer + typeof require', context),
      'undefinedundefinedundefined',
    );
    const room = runInContext(`${code}; room`, context) as Room;
    const messages: Message[] = [];
    let arrived = (): void => undefined;
    const host = {
      files: { resolve: (path: string) => path, exists: () => Promise.resolve(false) },
      scheduler: { yield: () => Promise.resolve(), wait: () => Promise.resolve() },
      now: () => 0,
      onTrouble: () => undefined,
      // Of the context's own Error: each realm has one.
      createGuest: runInContext(
        `() => Promise.reject(new Error('kernel: there are no files here.'))`,
        context,
      ) as unknown,
    };
    const adapter = room.createAdapter(host, (message) => {
      messages.push(message);
      arrived();
    });
    const response = async (seq: number): Promise<Message> => {
      for (;;) {
        const found = messages.find((message) => message['request_seq'] === seq);
        if (found !== undefined) return found;
        await new Promise<void>((resolve) => (arrived = resolve));
      }
    };
    adapter.server.handleMessage({ seq: 1, type: 'request', command: 'initialize', arguments: { adapterID: 'x' } });
    assert.equal((await response(1))['success'], true);
    adapter.server.handleMessage({ seq: 2, type: 'request', command: 'launch', arguments: { kernel: '/k' } });
    const refused = await response(2);
    assert.equal(refused['success'], false);
    assert.equal(refused['message'], 'kernel: there are no files here.');
  });
});
