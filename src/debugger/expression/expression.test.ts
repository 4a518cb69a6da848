import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import * as fc from 'fast-check';
import { DebuggerError } from '../errors.ts';
import { formatValue } from '../format.ts';
import { liveContext } from '../frames.ts';
import { Module, ModuleSet } from '../modules.ts';
import { ModuleScope } from '../names.ts';
import { FakeTarget, mapImage, openSampleGuest } from '../../../test/debugger/fake-target.ts';
import { withTypes } from '../types.ts';
import { compile } from './compile.ts';

const guest = fileURLToPath(new URL('../../../guests/smp/smp.elf', import.meta.url));

describe('C expressions', () => {
  const target = new FakeTarget(1);
  const modules = new ModuleSet();
  let module: Module;

  before(async () => {
    const file = await openSampleGuest(guest);
    mapImage(target, file, guest);
    module = new Module('smp.elf', file);
    modules.add(module);
    target.slots.vcpu(0).rax = 0x1122334455667788n;
  });

  async function show(text: string, hexadecimal = false): Promise<string> {
    const line = (await module.file.functionBreakpoints('list_insert'))[0];
    const pc = line?.address ?? 0n;
    const scope = new ModuleScope(modules, { module, pc, scopes: undefined });
    const compiled = await compile(text, scope);
    const context = liveContext(target, 0, { row: null, frameBase: null, loadBias: 0n });
    return withTypes(() => formatValue(compiled.evaluate(context), { hexadecimal, symbolize: () => undefined }));
  }
  async function write(symbol: string, offset: bigint, bytes: readonly number[]): Promise<bigint> {
    const found = (await module.file.symbolsNamed(symbol))[0];
    assert.ok(found);
    target.map(found.address + offset, Uint8Array.from(bytes));
    return found.address;
  }

  const values: readonly (readonly [string, string])[] = [
    ['1 + 2 * 3', '7'],
    ['(1 + 2) * 3', '9'],
    ['7 / 2', '3'],
    ['-7 / 2', '-3'],
    ['-7 % 3', '-1'],
    ['7u - 8u', '4294967295'],
    ['0x80000000 + 0', '2147483648'],
    ['2147483647 + 1', '-2147483648'],
    ['2147483648 - 1', '2147483647'],
    ['1ull << 63', '9223372036854775808'],
    ['-1 >> 1', '-1'],
    ['-1u >> 31', '1'],
    ['~0', '-1'],
    ['!5', '0'],
    ['5 > 3 && 2 != 2', '0'],
    ['0 || 3', '1'],
    ['1 ? 10 : 20', '10'],
    ['0 ? 10 : 0 ? 20 : 30', '30'],
    ['1, 2, 3', '3'],
    ['010', '8'],
    ["'A'", '65'],
    ["'\\n' == 10", '1'],
    ['(unsigned char)300', "44 ','"],
    ['(signed char)200', '-56'],
    ['(short)0x12345', '9029'],
    ['sizeof(int)', '4'],
    ['sizeof(struct list *)', '8'],
    ['sizeof(uint64_t)', '8'],
    ['sizeof shared_list.samples / sizeof shared_list.samples[0]', '8'],
    ['-1 < 1u', '0'],
    ['-1L < 1u', '1'],
    ['5 & 6 | 8 ^ 1', '13'],
    ['1 + 2 == 3', '1'],
    ['$al', '136'],
    ['$ah', "119 'w'"],
    ['$ax == 0x7788', '1'],
    ['$eax == 0x55667788', '1'],
    ['$rax >> 32 == 0x11223344', '1'],
    ['1.5 + 1', '2.5'],
    ['3.0 / 2', '1.5'],
    ['(int)2.9', '2'],
    ['(_Bool)4', 'true'],
    ['LIST_BAD_ORDER', 'LIST_BAD_ORDER (3)'],
    ['LIST_BAD_ORDER + 1', '4'],
    ['(enum list_fault)2', 'LIST_BAD_LINK (2)'],
    ['&shared_list == &shared_list', '1'],
    ['&shared_list.count - &shared_list.count', '0'],
    ['(char *)&shared_list.tail - (char *)&shared_list.head', '8'],
    ['&shared_list.samples[3] - shared_list.samples', '3'],
    ['*&shared_list.count', '0'],
    ['shared_list.head == 0', '1'],
    ['sizeof *shared_list.head', '48'],
    ['list_insert == &list_insert', '1'],
    ['sizeof *(uint32_t (*)[4])&shared_list', '16'],
    ['(void (*)(int, char *))0 == 0', '1'],
  ];
  for (const [text, expected] of values) {
    it(`${text} is ${expected}`, async () => assert.equal(await show(text), expected));
  }

  it('reads members, arrays and pointers of the guest', async () => {
    const node = 0x110000n;
    const list = await write('shared_list', 0n, []);
    const address = [...Array(8).keys()].map((i) => Number((node >> BigInt(i * 8)) & 0xffn));
    target.map(node, Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 0, 2, 0, 2, 0, 0, 0]));
    const scope = new ModuleScope(modules, undefined);
    const head = await compile('&shared_list.head', scope);
    const context = liveContext(target, 0, { row: null, frameBase: null, loadBias: 0n });
    target.map(BigInt.asUintN(64, head.scalar(context) as bigint), Uint8Array.from(address));
    assert.equal(await show('shared_list.head->id'), '131077');
    assert.equal(await show('shared_list.head->id', true), '0x20005');
    assert.equal(await show('(*shared_list.head).owner'), '2');
    assert.equal(await show('shared_list.head[0].id >> 16'), '2');
    assert.equal(await show('((struct node *)0x110000)->owner'), '2');
    assert.equal(await show('*(unsigned short *)(0x110000 + 18)'), '2');
    assert.equal(await show('shared_list.head'), '0x110000');
    assert.equal(await show('*(uint32_t *)0x110010@2'), '[2] {131077, 2}');
    assert.ok(list > 0n);
  });

  it('takes the address of an object whose type nothing has asked for yet', async () => {
    for (const text of ['&shared_list', '*&shared_list', '(struct list *)&shared_list == &shared_list']) {
      const fresh = new ModuleSet();
      fresh.add(new Module('smp.elf', module.file));
      const first = await compile(text, new ModuleScope(fresh, undefined));
      assert.doesNotMatch(first.store.nameOf(first.type), /unknown/, text);
      // A question leaves no trace that spoils the next.
      const next = await compile('((struct list *)0)->count', new ModuleScope(fresh, undefined));
      assert.match(next.store.nameOf(next.type), /int/);
    }
  });

  it('answers or refuses any text, and never hangs', async () => {
    const word = fc.constantFrom(
      ...[
        'shared_list',
        'head',
        'samples',
        'list_insert',
        'LIST_SOUND',
        'struct list',
        'unsigned',
        'uint64_t',
        'sizeof',
      ],
      ...[
        '1',
        '0x10',
        "'a'",
        '1.5',
        '$rax',
        '$al',
        '->',
        '.',
        '*',
        '&',
        '+',
        '-',
        '/',
        '%',
        '<<',
        '==',
        '&&',
        '?',
        ':',
      ],
      ...['(', ')', '[', ']', '@', ',', '!', '~', '(char *)', '(struct node *)', '\\', '#', '"'],
    );
    await fc.assert(
      fc.asyncProperty(fc.array(word, { minLength: 1, maxLength: 12 }), async (words) => {
        try {
          assert.equal(typeof (await show(words.join(' '))), 'string');
        } catch (error) {
          assert.ok(error instanceof DebuggerError, String(error));
          assert.match(error.message, /[.?]$/);
        }
      }),
      { numRuns: 2000 },
    );
  });

  const errors: readonly (readonly [string, DebuggerError['code'], RegExp])[] = [
    ['', 'syntax', /empty/],
    ['1 +', 'syntax', /Expected a value at column 4, found the end/],
    ['(1', 'syntax', /Expected '\)'/],
    ['nobody', 'unknownName', /No symbol 'nobody'/],
    ['shared_list.nothing', 'unknownName', /no member 'nothing'/],
    ['shared_list + 1', 'type', /needs a number or pointer/],
    ['1 / 0', 'type', /Division by zero/],
    ['1 << 40', 'type', /shift/],
    ['list_insert(1)', 'syntax', /call/],
    ['shared_list.count = 1', 'syntax', /cannot assign/],
    ['shared_list.count++', 'syntax', /change the guest/],
    ['&1', 'notAddressable', /address/],
    ['*(int *)8', 'notAvailable', /0x8/],
    ['$nothing', 'unknownName', /register/],
    ['(struct nothing *)0', 'unknownName', /type 'struct nothing'/],
    ['1 # 2', 'syntax', /"#" at column 3/],
    ['09', 'syntax', /not a number/],
    ['*(void *)8', 'type', /cast it first/],
    [`${'('.repeat(500)}1${')'.repeat(500)}`, 'syntax', /deeply/],
  ];
  for (const [text, code, message] of errors) {
    it(`refuses ${text.slice(0, 30)} with ${code}`, async () => {
      await assert.rejects(
        show(text).then((shown) => {
          if (shown.startsWith('<')) throw Object.assign(new Error(shown), { code: 'notAvailable' });
          return shown;
        }),
        (error: DebuggerError) => error.code === code && message.test(error.message),
      );
    });
  }
});
