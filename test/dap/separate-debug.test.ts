/** A stripped kernel and the file with its debugging information: source, locals and one place for each breakpoint. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import type { DebugProtocol as P } from '@vscode/debugprotocol';
import { createNodeAdapterHost } from '../../src/entry/node-adapter-host.ts';
import { missing, run, temporaryDirectory } from '../symbols/tools.ts';
import { Client, inProcess } from './client.ts';
import { guest } from './story.ts';

const skip = missing('objcopy', 'strip');
const whole = path.join(guest, 'smp.elf');

/** What a session shows at a function breakpoint on kernel_main. */
async function seen(kernel: string, symbols: readonly string[]): Promise<object> {
  const host = createNodeAdapterHost();
  const client = new Client(inProcess(host));
  try {
    let places: readonly P.Breakpoint[] = [];
    await client.launch(
      {
        kernel,
        symbols: symbols.map((file) => ({ file })),
        sourceMap: { '/trapline/guests/smp': guest },
        machine: { cpus: 1, memory: '16M' },
        stopOnEntry: false,
      },
      async () => {
        const set = await client.request<P.SetFunctionBreakpointsResponse['body']>('setFunctionBreakpoints', {
          breakpoints: [{ name: 'kernel_main' }, { name: 'list_insert' }],
        });
        places = set.breakpoints;
      },
    );
    await client.stopped();
    const { stackFrames } = await client.request<P.StackTraceResponse['body']>('stackTrace', { threadId: 1 });
    const [top] = stackFrames;
    const { scopes } = await client.request<P.ScopesResponse['body']>('scopes', { frameId: top?.id });
    const { variables } = await client.request<P.VariablesResponse['body']>('variables', {
      variablesReference: scopes[0]?.variablesReference,
    });
    const list = await client.request<P.EvaluateResponse['body']>('evaluate', {
      expression: 'sizeof(struct list)',
      context: 'watch',
    });
    const said = client.messages.filter((message) => JSON.stringify(message).includes('build it with -g'));
    return {
      places: places.map(({ message, verified }) => [message, verified]),
      frames: stackFrames.map(({ name, source: file, line: at }) => [name, file?.path, at]),
      // Where the boot information lies depends on the length of the kernel's name.
      locals: variables.map(({ name, type, value }) => [name, type, value.replace(/^0x[0-9a-f]+/, 'a pointer')]),
      size: list.result,
      said: said.length,
    };
  } finally {
    await client.close();
    host.dispose();
  }
}

describe('a debug file apart from the kernel', { skip }, () => {
  const folder = skip === false ? temporaryDirectory() : '';
  const debug = path.join(folder, 'kernel.debug');
  let expected: object = {};
  before(async () => {
    run('objcopy', ['--only-keep-debug', whole, debug]);
    expected = await seen(whole, []);
    assert.ok(JSON.stringify(expected).includes('main.c'));
  });

  for (const option of ['--strip-debug', '--strip-all']) {
    it(`shows what the whole file shows: strip ${option}`, async () => {
      const kernel = path.join(folder, `kernel${option}.elf`);
      run('strip', [option, whole, '-o', kernel]);
      assert.deepEqual(await seen(kernel, [debug]), expected);
    });
  }

  it('the 32-bit form of the sample with the symbols of the 64-bit one', async () => {
    assert.deepEqual(await seen(path.join(guest, 'smp32.elf'), [whole]), expected);
  });

  it('is found by .gnu_debuglink, beside the kernel and in .debug', async () => {
    for (const place of ['linked', path.join('linked-below', '.debug')]) {
      const home = path.join(folder, place.split(path.sep)[0] ?? '');
      mkdirSync(path.join(folder, place), { recursive: true });
      copyFileSync(debug, path.join(folder, place, 'kernel.debug'));
      const kernel = path.join(home, 'kernel.elf');
      run('objcopy', ['--strip-all', `--add-gnu-debuglink=${debug}`, whole, kernel]);
      assert.deepEqual(await seen(kernel, []), expected, place);
    }
  });

  it('of another build is refused by name', async () => {
    const home = path.join(folder, 'other');
    mkdirSync(home);
    const kernel = path.join(home, 'kernel.elf');
    // Without a build ID the checksum decides.
    run('objcopy', [
      '--strip-all',
      '--remove-section=.note.gnu.build-id',
      `--add-gnu-debuglink=${debug}`,
      whole,
      kernel,
    ]);
    writeFileSync(path.join(home, 'kernel.debug'), Buffer.concat([readFileSync(debug), Buffer.of(0)]));
    const host = createNodeAdapterHost();
    const client = new Client(inProcess(host));
    try {
      await client.request('initialize', { adapterID: 'x' });
      await client.request('launch', { kernel, machine: { memory: '16M' } });
      const said = JSON.stringify(client.messages);
      assert.match(said, /kernel\.debug is not the debug file of .*kernel\.elf: it is of another build/);
      assert.match(said, /build it with -g/);
    } finally {
      await client.close();
      host.dispose();
    }
  });
});
