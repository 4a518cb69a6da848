import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type CodeSize, disassemble, type Instruction, type SymbolNames } from './index.ts';

function show(code: string, size: CodeSize = 64, names?: SymbolNames): Instruction {
  return disassemble(Uint8Array.from(Buffer.from(code.replaceAll(' ', ''), 'hex')), 0x1000n, size, names);
}

describe('disassembler', () => {
  const texts: [string, CodeSize, string][] = [
    ['48 89 e5', 64, 'mov rbp, rsp'],
    ['40 88 e5', 64, 'mov bpl, spl'],
    ['88 e5', 64, 'mov ch, ah'],
    ['48 8b 05 10 00 00 00', 64, 'mov rax, qword ptr [rip+0x10] # 0x1017'],
    ['64 48 8b 04 25 28 00 00 00', 64, 'mov rax, qword ptr fs:[0x28]'],
    ['f0 48 0f c1 44 8b f0', 64, 'lock xadd qword ptr [rbx+rcx*4-0x10], rax'],
    ['f3 48 ab', 64, 'rep stos qword ptr es:[rdi], rax'],
    ['67 f3 a6', 64, 'repe cmps byte ptr ds:[esi], byte ptr es:[edi]'],
    ['83 c4 f0', 32, 'add esp, 0xfffffff0'],
    ['ea 78 56 34 12 08 00', 32, 'jmp 0x8:0x12345678'],
    ['8b 42 fe', 16, 'mov ax, word ptr [bp+si-0x2]'],
    ['2e 8b 07', 16, 'mov ax, word ptr cs:[bx]'],
    ['e3 10', 16, 'jcxz 0x1012'],
    ['48 cf', 64, 'iretq'],
    ['0f 20 d8', 64, 'mov rax, cr3'],
    ['66 0f 6f 45 10', 64, 'movdqa xmm0, xmmword ptr [rbp+0x10]'],
  ];
  for (const [code, size, text] of texts) it(text, () => assert.equal(show(code, size).text, text));

  it('says that bytes are no instruction', () => {
    for (const code of ['', '0f', '48', '06', '0f 04', 'f0 90', '0f 20 c8', `${'66 '.repeat(15)}90`, 'e8 00 00']) {
      const { valid, length } = show(code);
      assert.deepEqual([valid, length], [false, 1], code);
    }
  });
  it('puts names behind targets', () => {
    const names: SymbolNames = (address) => (address === 0x1105n ? 'main' : undefined);
    assert.equal(show('e8 00 01 00 00', 64, names).text, 'call 0x1105 <main>');
    assert.equal(show('48 8d 05 fe 00 00 00', 64, names).text, 'lea rax, [rip+0xfe] # 0x1105 <main>');
    assert.equal(show('e8 00 02 00 00', 64, names).text, 'call 0x1205');
  });
  it('tells targets of branches', () => {
    assert.equal(show('eb fe').target, 0x1000n);
    assert.equal(show('e9 00 f0 ff ff', 16).target, 0x3n);
    assert.equal(show('ff d0').target, undefined);
    assert.equal(show('48 8b 05 f0 ff ff ff').memoryTarget, 0xff7n);
  });
  it('tells what ends a block and what calls', () => {
    const kinds = ['c3', 'e8 00 00 00 00', '74 00', 'f3 a4', 'a4', '90', 'ff 10', '0f 05'].map((code) => {
      const { endsBlock, isCall } = show(code);
      return [endsBlock, isCall];
    });
    const ends = [true, false];
    const call = [true, true];
    const neither = [false, false];
    assert.deepEqual(kinds, [ends, call, ends, ends, neither, neither, call, ends]);
  });
});

describe('accesses', () => {
  const list = (code: string, size: CodeSize = 64): string[] =>
    show(code, size).accesses.map(
      ({ segment, base, index, scale, displacement, size: bytes, kind, implicit }) =>
        `${kind} ${bytes} ${segment}:${base ?? ''}+${index ?? ''}*${scale}+${displacement}${implicit ? ' implicit' : ''}`,
    );
  const cases: [string, string, CodeSize, string[]][] = [
    ['a load', '8b 44 8b 10', 64, ['read 4 ds:rbx+rcx*4+16']],
    ['a store', '48 89 45 f8', 64, ['write 8 ss:rbp+*1+-8']],
    ['read-modify-write', '80 03 01', 64, ['both 1 ds:rbx+*1+0']],
    ['a comparison', '39 03', 64, ['read 4 ds:rbx+*1+0']],
    ['an address', '48 8d 03', 64, []],
    ['a hint', '0f 18 0b', 64, []],
    ['PUSH', '50', 64, ['write 8 ss:rsp+*1+-8 implicit']],
    ['PUSH of memory', 'ff 33', 64, ['read 8 ds:rbx+*1+0', 'write 8 ss:rsp+*1+-8 implicit']],
    ['POP', '66 58', 32, ['read 2 ss:esp+*1+0 implicit']],
    ['CALL through memory', 'ff 13', 64, ['read 8 ds:rbx+*1+0', 'write 8 ss:rsp+*1+-8 implicit']],
    ['LEAVE', 'c9', 64, ['read 8 ss:rbp+*1+0 implicit']],
    ['IRETQ', '48 cf', 64, ['read 40 ss:rsp+*1+0 implicit']],
    ['MOVS', 'f3 48 a5', 64, ['write 8 es:rdi+*1+0', 'read 8 ds:rsi+*1+0']],
    ['CMPS', 'a6', 64, ['read 1 ds:rsi+*1+0', 'read 1 es:rdi+*1+0']],
    ['STOS', 'aa', 32, ['write 1 es:edi+*1+0']],
    ['XLAT', 'd7', 64, ['read 1 ds:rbx+al*1+0']],
    ['CMPXCHG16B', '48 0f c7 0b', 64, ['both 16 ds:rbx+*1+0']],
    ['FXSAVE', '0f ae 03', 64, ['write 512 ds:rbx+*1+0']],
    ['a far call', 'ff 1b', 32, ['read 6 ds:ebx+*1+0', 'write 8 ss:esp+*1+-8 implicit']],
    ['SLDT', '0f 00 03', 64, ['write 2 ds:rbx+*1+0']],
    ['an absolute address', 'a1 34 12 00 00', 32, ['read 4 ds:+*1+4660']],
    ['MASKMOVDQU', '66 0f f7 c1', 64, ['write 16 ds:rdi+*1+0 implicit']],
    ['MASKMOVQ', '0f f7 c1', 64, ['write 8 ds:rdi+*1+0 implicit']],
    ['PUNPCKLBW of MMX registers', '0f 60 03', 64, ['read 4 ds:rbx+*1+0']],
  ];
  for (const [name, code, size, expected] of cases) it(name, () => assert.deepEqual(list(code, size), expected));
  it('of a bit string moves by its bit number', () => {
    assert.equal(show('48 0f ab 0b').accesses[0]?.bitOffset, 'rcx');
    assert.equal(show('48 0f ba 2b 05').accesses[0]?.bitOffset, undefined);
  });
});
