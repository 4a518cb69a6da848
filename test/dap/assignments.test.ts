/** What the user writes into variables and registers: numbers that do not fit are refused, impossible states too. */
import assert from 'node:assert/strict';
import path from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { DebugProtocol as P } from '@vscode/debugprotocol';
import { createNodeAdapterHost } from '../../src/entry/node-adapter-host.ts';
import { Client, inProcess, RequestFailed } from './client.ts';
import { guest } from './story.ts';

describe('an assignment', () => {
  const host = createNodeAdapterHost();
  const client = new Client(inProcess(host));
  let frameId = 0;
  before(async () => {
    await client.launch({ kernel: path.join(guest, 'smp.elf'), machine: { cpus: 2, memory: '32M' } }, async () => {
      await client.request('setFunctionBreakpoints', { breakpoints: [{ name: 'list_insert' }] });
    });
    const { threadId } = await client.stopped();
    const { stackFrames } = await client.request<P.StackTraceResponse['body']>('stackTrace', { threadId });
    frameId = stackFrames[0]?.id ?? 0;
  });
  after(async () => {
    await client.close();
    host.dispose();
  });
  const read = async (expression: string): Promise<string> =>
    (await client.request<P.EvaluateResponse['body']>('evaluate', { expression, frameId })).result;
  const set = (expression: string, value: string): Promise<unknown> =>
    client.request('setExpression', { expression, value, frameId });

  const refused: readonly (readonly [string, string, RegExp])[] = [
    ['$rax', '0x1ffffffffffffffff', /0x1ffffffffffffffff does not fit: .* 64 bits/],
    ['$eax', '0x100000000', /32 bits/],
    ['$al', '256', /256 does not fit: .* 8 bits, for -128 to 255/],
    ['shared_list.count', '0x1ffffffff', /0x1ffffffff does not fit: .* 32 bits/],
    ['node->traits.priority', '999', /999 does not fit: this field has 3 bits, for -4 to 7/],
    ['$cr0', '0', /no processor can be in: CR0 has the bits/],
    ['$cr0', '0x10', /no processor can be in: EFER\.LMA is 1 while/],
    ['$cr0', '$cr0 & ~1', /CR0\.PG needs CR0\.PE/],
    ['$cr0', '$cr0 | 0x20000000', /CR0\.NW needs CR0\.CD/],
    ['$cr4', '0xffffffffffffffff', /CR4 has no bits but/],
    ['$cr4', '$cr4 & ~0x20', /long mode needs CR4\.PAE/],
    ['$efer', '0xffffffffffffffff', /EFER has the bits/],
    ['$efer', '$efer & ~0x400', /EFER\.LMA is 1 while/],
    ['$cr3', '0x10000000000000', /CR3 holds a physical address/],
    ['$rflags', '0x8002', /bits 3, 5, 15 and 22 to 63/],
    ['$rflags', '0x20002', /no virtual-8086 mode in long mode/],
    ['$rflags', '0', /bit 1 is always 1/],
    ['$rip', '0x800000000000', /RIP is canonical/],
    ['$gs_base', '0x1234567890abcdef', /canonical address/],
    ['$lstar', '0x8000000000000000', /canonical address/],
    ['$mxcsr', '0x10000', /MXCSR/],
    ['$pat', '2', /memory type/],
    ['$dr7', '0x1000', /DR7/],
    ['$dr6', '0', /DR6/],
    ['$xcr0', '0', /XCR0/],
    ['$sfmask', '0x100000000', /upper half/],
  ];
  for (const [object, value, sentence] of refused) {
    it(`${object} = ${value} is refused`, async () => {
      const before_ = await read(object);
      await assert.rejects(
        set(object, value),
        (error) => error instanceof RequestFailed && error.id === 1303 && sentence.test(error.message),
      );
      assert.equal(await read(object), before_);
    });
  }

  const taken: readonly (readonly [string, string])[] = [
    ['$rax', '-1'],
    ['$rax', '0xffffffffffffffff'],
    ['$al', '-128'],
    ['shared_list.count', '0xffffffff'],
    ['shared_list.count', '-1'],
    ['node->traits.priority', '7'],
    ['$rflags', '0x202'],
    ['$cr0', '$cr0 ^ 8'],
    ['$gs_base', '0xffff800000000000'],
    ['$efer', '$efer ^ 1'],
  ];
  for (const [object, value] of taken)
    it(`${object} = ${value} is taken`, async () => {
      await set(object, value);
    });

  it('every register takes the value that it has', async () => {
    for (const name of [
      'rip',
      'rflags',
      'cr0',
      'cr2',
      'cr3',
      'cr4',
      'efer',
      'xcr0',
      'mxcsr',
      'pat',
      'apic_base',
      'dr6',
      'dr7',
      'fs_base',
      'gs_base',
      'tr_base',
      'gdtr_base',
      'idtr_limit',
      'cs_attributes',
      'debugctl',
      'sfmask',
    ])
      await set(`$${name}`, `$${name}`);
  });
});
