import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkArguments, isCommand } from './arguments.ts';
import { Client } from './client.ts';
import { ProtocolError } from './errors.ts';
import type { Command } from './protocol.ts';

const one = new Client();

describe('the table of arguments', () => {
  // Each of these reached a handler, which rounded it, cut it, mirrored it or failed.
  const refused: readonly (readonly [Command, object, RegExp])[] = [
    ['variables', { variablesReference: 1, start: 0.5 }, /'start' .* whole number from 0 on, not 0.5/],
    ['variables', { variablesReference: 1, count: -1 }, /'count' .* from 0 on, not -1/],
    ['variables', { variablesReference: 2 ** 31 }, /'variablesReference' .* from 0 to 2147483647, not 2147483648/],
    ['variables', { variablesReference: 1, filter: 'all' }, /'filter' .* must be indexed or named, not 'all'/],
    ['completions', { text: 'a', column: 1e300 }, /'column' .* from 1 to 2147483647, not 1e\+300/],
    ['setBreakpoints', { source: {}, breakpoints: [{ line: -3 }] }, /'breakpoints\[0\].line' .* not -3/],
    ['setBreakpoints', { source: {}, breakpoints: [{ line: 1 }, { line: 79.5 }] }, /'breakpoints\[1\].line'/],
    ['setBreakpoints', { source: {}, lines: [1, 0] }, /'lines\[1\]' .* from 1 to/],
    ['setBreakpoints', { source: { path: 7 }, breakpoints: [] }, /'source.path' .* must be a string/],
    ['setBreakpoints', { source: {}, breakpoints: [{ line: 1, column: 0 }] }, /'breakpoints\[0\].column'/],
    ['setExceptionBreakpoints', { filters: [], filterOptions: [{}] }, /'filterOptions\[0\].filterId' is missing/],
    ['setExceptionBreakpoints', { filters: [1] }, /'filters\[0\]' .* must be a string/],
    ['readMemory', { memoryReference: 'x', count: 1 }, /'memoryReference' .* must be an address/],
    ['readMemory', { memoryReference: '0x10000000000000000', count: 1 }, /must be an address/],
    ['readMemory', { memoryReference: '99999999999999999999', count: 1 }, /must be an address/],
    ['readMemory', { memoryReference: '0x0', count: -1 }, /'count'/],
    ['readMemory', { memoryReference: '0x0', count: 1, offset: 2 ** 60 }, /'offset' .* must be a whole number/],
    ['disassemble', { memoryReference: '0x0', instructionCount: 5001 }, /from 0 to 5000, not 5001/],
    [
      'disassemble',
      { memoryReference: '0x0', instructionCount: 1, instructionOffset: -5001 },
      /'instructionOffset' .* from -5000 to 5000, not -5001/,
    ],
    ['stackTrace', { threadId: 1, startFrame: -1 }, /'startFrame'/],
    ['stackTrace', { threadId: 1, format: { hex: 1 } }, /'format.hex' .* must be a boolean/],
    ['next', { threadId: 1.5 }, /'threadId'/],
    ['next', { threadId: 1, granularity: 'block' }, /statement or line or instruction, not 'block'/],
    ['setDataBreakpoints', { breakpoints: [{ dataId: 'x', accessType: 'execute' }] }, /'breakpoints\[0\].accessType'/],
    ['dataBreakpointInfo', { name: 'x', bytes: 1.5 }, /'bytes'/],
    ['evaluate', { expression: 'x'.repeat(10_001) }, /at most 10000 characters/],
    ['initialize', { pathFormat: 'tree' }, /path or uri, not 'tree'/],
    ['trapline/ledger', { from: 0, count: Infinity }, /'count'/],
  ];
  for (const [command, given, sentence] of refused) {
    it(`refuses ${command} ${JSON.stringify(given).slice(0, 80)}`, () => {
      assert.throws(
        () => checkArguments(command, given, one),
        (error) => error instanceof ProtocolError && error.code === 'badArguments' && sentence.test(error.message),
      );
    });
  }

  it('gives handlers what they work with, and nothing else', () => {
    assert.deepEqual(
      checkArguments('readMemory', { memoryReference: '0x10', count: 4, offset: null, more: 1, constructor: 1 }, one),
      { memoryReference: 16n, count: 4, offset: undefined },
    );
    const uris = new Client({ linesStartAt1: false, columnsStartAt1: false, pathFormat: 'uri' });
    const { source, line } = checkArguments(
      'breakpointLocations',
      { source: { path: 'file:///a%20b/c.c' }, line: 0 },
      uris,
    );
    assert.deepEqual([source.path, source.given.path, line], ['/a b/c.c', 'file:///a%20b/c.c', 1]);
  });

  it('knows no request by an inherited name', () => {
    for (const name of ['toString', '__proto__', 'constructor', 'attach']) assert.equal(isCommand(name), false);
  });
});

describe('paths of a client that writes URIs', () => {
  const uris = new Client({ pathFormat: 'uri' });
  for (const [path, uri] of [
    ['/home/a b/ü#?.c', 'file:///home/a%20b/%C3%BC%23%3F.c'],
    ['C:\\k\\a.c', 'file:///C:/k/a.c'],
    ['//host/share/a.c', 'file://host/share/a.c'],
  ] as const) {
    it(`${path} and back`, () => {
      assert.equal(uris.path(path), uri);
      assert.equal(uris.ourPath(uri), path.replaceAll('\\', '/'));
    });
  }
  it('a URI that names no file, or is broken, is none', () => {
    for (const uri of ['untitled:a', 'http://a/b.c', 'file:///%zz', '/plain'])
      assert.equal(uris.ourPath(uri), undefined);
  });
});
