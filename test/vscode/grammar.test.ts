// The grammars, tokenized by the very library that VS Code uses.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { before, describe, it } from 'node:test';
import { installVSCode } from '../../scripts/install-vscode.ts';
import { repositoryRoot } from '../../scripts/process.ts';

interface Token {
  readonly startIndex: number;
  readonly endIndex: number;
  readonly scopes: readonly string[];
}
interface Grammar {
  tokenizeLine(line: string, state: unknown): { readonly tokens: readonly Token[]; readonly ruleStack: unknown };
}
/** The part of vscode-textmate that is used here. */
interface Textmate {
  readonly INITIAL: unknown;
  readonly Registry: new (options: object) => { loadGrammar(scope: string): Promise<Grammar | null> };
  parseRawGrammar(text: string, file: string): unknown;
}
interface Oniguruma {
  loadWASM(bytes: ArrayBuffer): Promise<void>;
  readonly OnigScanner: new (patterns: string[]) => object;
  readonly OnigString: new (text: string) => object;
}

let textmate: Textmate;
let oniguruma: Oniguruma;

before(async () => {
  const load = createRequire(path.join(await installVSCode(() => undefined), 'node_modules', 'x.js'));
  textmate = load('vscode-textmate') as Textmate;
  oniguruma = load('vscode-oniguruma') as Oniguruma;
  const wasm = readFileSync(path.join(path.dirname(load.resolve('vscode-oniguruma')), 'onig.wasm'));
  await oniguruma.loadWASM(wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.byteLength) as ArrayBuffer);
});

/** Words of a text with the last name of their scope, without the language: "mov" as "support.function.mnemonic". */
async function words(file: string, text: string): Promise<Map<string, string>> {
  const source = readFileSync(path.join(repositoryRoot, 'syntaxes', file), 'utf8');
  const { scopeName } = JSON.parse(source) as { scopeName: string };
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns: string[]) => new oniguruma.OnigScanner(patterns),
      createOnigString: (line: string) => new oniguruma.OnigString(line),
    }),
    loadGrammar: () => Promise.resolve(textmate.parseRawGrammar(source, file)),
  });
  const grammar = await registry.loadGrammar(scopeName);
  assert.ok(grammar);
  const found = new Map<string, string>();
  let state = textmate.INITIAL;
  for (const line of text.split('\n')) {
    const { tokens, ruleStack } = grammar.tokenizeLine(line, state);
    state = ruleStack;
    for (const { startIndex, endIndex, scopes } of tokens) {
      const word = line.slice(startIndex, endIndex).trim();
      const scope = (scopes.at(-1) ?? '').replace(/\.trapline-\w+$/, '');
      if (word !== '' && !found.has(word)) found.set(word, scope);
    }
  }
  return found;
}

describe('the disassembly', () => {
  it('tells address, bytes, mnemonic, register, number and symbol apart', async () => {
    const found = await words(
      'trapline-disassembly.tmLanguage.json',
      [
        '; list_insert: machine code, 64 bit',
        '',
        '0000000000101000: 48 8b 05 21 00 00 00             mov rax, qword ptr [rip+0x21] <shared_list+8>',
        '0000000000101007: f0 48 0f b1 0a                   lock cmpxchg qword ptr [rdx], rcx',
        '000000000010100c: e8 0f 00 00 00                   call 0x101020 <check>',
        '0000000000101011: 06                               (bad)',
      ].join('\n'),
    );
    assert.equal(found.get('; list_insert: machine code, 64 bit'), 'comment.line');
    assert.equal(found.get('0000000000101000'), 'constant.numeric.address');
    assert.equal(found.get('48 8b 05 21 00 00 00'), 'comment.block.bytes');
    assert.equal(found.get('mov'), 'support.function.mnemonic');
    assert.equal(found.get('rax'), 'variable.language.register');
    assert.equal(found.get('qword'), 'storage.type');
    assert.equal(found.get('0x21'), 'constant.numeric');
    assert.equal(found.get('shared_list'), 'entity.name.function');
    assert.equal(found.get('lock'), 'keyword.other.prefix');
    assert.equal(found.get('call'), 'keyword.control');
    assert.equal(found.get('check'), 'entity.name.function');
    assert.equal(found.get('(bad)'), 'invalid.illegal');
  });
});

describe('assembly', () => {
  it('tells comments, directives, labels and instructions apart', async () => {
    const found = await words(
      'asm.tmLanguage.json',
      [
        '#include "cpu.h"',
        '/* two',
        'lines */',
        '_start:',
        '    .globl _start',
        '    movl $0x10, %eax /* why */',
        '    jne 1f',
      ].join('\n'),
    );
    assert.equal(found.get('#include'), 'keyword.control.directive');
    assert.equal(found.get('two'), 'comment.block');
    assert.equal(found.get('lines'), 'comment.block');
    assert.equal(found.get('_start'), 'entity.name.function');
    assert.equal(found.get('.globl'), 'keyword.other.directive');
    assert.equal(found.get('movl'), 'support.function.mnemonic');
    assert.equal(found.get('$0x10'), 'constant.numeric');
    assert.equal(found.get('%eax'), 'variable.language.register');
    assert.equal(found.get('jne'), 'keyword.control');
  });
});
