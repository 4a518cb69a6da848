// Bugs that the comparisons with iced-x86 and with processors found, each by its name.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { disassemble } from '../../src/core/disassembler/index.ts';
import { DEVICE_ADDRESS, EngineProcessor, TOP_CODE_ADDRESS } from './cpu/engine.ts';
import {
  CODE_ADDRESS,
  DATA_ADDRESS,
  DATA_SIZE,
  GS_BASE,
  INITIAL_X87,
  type Result,
  type X87State,
} from './cpu/protocol.ts';
import { EngineDecoder } from './engine-decoder.ts';
import { bytesOf } from '../harness/bytes.ts';

const RETIRED = 1;
const UD = 6;
const SS = 12;
const GP = 13;
const PF = 14;
const END = BigInt(DATA_ADDRESS + DATA_SIZE);
const NOT_CANONICAL = 0x8000_0000_0000n;

const data = Uint8Array.from({ length: DATA_SIZE }, (_, i) => i & 0xff);
const accesses: string[] = [];
const engine = new EngineProcessor(data, {
  portRead: (port, size) => {
    accesses.push(`in ${size} from 0x${port.toString(16)}`);
    return 0;
  },
  mmioRead: (address, size) => {
    accesses.push(`read ${size} at 0x${address.toString(16)}`);
    return 0n;
  },
  mmioWrite: (address, size, value) =>
    void accesses.push(`write ${size} at 0x${address.toString(16)}: 0x${value.toString(16)}`),
});

interface Start {
  /** Registers by number. */
  readonly registers?: Readonly<Record<number, bigint>>;
  readonly xmm?: Readonly<Record<number, string>>;
  readonly flags?: bigint;
  readonly rip?: bigint;
  readonly mxcsr?: number;
  /** registers: ST0 and on, ten bytes each. */
  readonly x87?: { control: number; status: number; tags: number; registers: readonly string[] };
  /** Bytes of the data pages, at an offset. */
  readonly memory?: { at: number; bytes: string };
  /** 16 and "32 segmented": in the segments of cpu/protocol.ts. */
  readonly kind?: '64' | '32' | '32 segmented' | '16';
}
function run(code: string, start: Start = {}): Result {
  const { registers = {}, xmm = {}, flags = 0n, mxcsr = 0x1f80, kind = '64' } = start;
  accesses.length = 0;
  const vectors = new Uint8Array(256);
  for (const [number, text] of Object.entries(xmm)) vectors.set(bytesOf(text), Number(number) * 16);
  const item = {
    code: bytesOf(code),
    registers: Array.from({ length: 16 }, (_, i) => registers[i] ?? 0n),
    flags,
    xmm: vectors,
    mxcsr,
    patchOffset: start.memory?.at ?? 0,
    patch: start.memory === undefined ? data.slice(0, 16) : bytesOf(start.memory.bytes),
    codeSize: kind === '64' ? (64 as const) : kind === '16' ? (16 as const) : (32 as const),
    segmented: kind === '16' || kind === '32 segmented',
    x87: start.x87 === undefined ? INITIAL_X87 : x87State(start.x87),
  };
  return engine.run(item, start.rip);
}
function x87State({ registers, ...words }: NonNullable<Start['x87']>): X87State {
  const bytes = new Uint8Array(128);
  registers.forEach((value, i) => bytes.set(bytesOf(value), i * 16));
  return { ...INITIAL_X87, ...words, registers: bytes };
}
const text = (code: string): string => disassemble(bytesOf(code), 0x1000n, 64).text;

describe('decoding', () => {
  it('an ES, CS, SS or DS prefix behind FS or GS does not undo it in 64-bit mode', () => {
    assert.equal(text('65 2E 8B 00'), 'mov eax, dword ptr gs:[rax]');
    const { registers } = run('65 3E 8B 03', { registers: { 3: BigInt(DATA_ADDRESS + 0x10 - GS_BASE) } });
    assert.equal(registers[0], 0x13121110n);
  });
  it('a ModRM byte that decides about validity counts, so that one on the next page is fetched', () => {
    const decoder = new EngineDecoder();
    // 0F BA /0 is no instruction, but the byte at hand is not that of the instruction
    assert.equal(decoder.decode(bytesOf('0F BA 00'), 0n, 64, 2), 0);
    assert.equal(decoder.decode(bytesOf('0F BA 00'), 0n, 64, 3), 1);
    assert.equal(decoder.valid, false);
  });
  it('MOVNTI has no form with a 66, F2 or F3 prefix', () => {
    const registers = { 0: BigInt(DATA_ADDRESS) };
    assert.equal(run('0F C3 08', { registers }).vector, RETIRED);
    for (const prefix of ['66', 'F2', 'F3']) assert.equal(run(`${prefix} 0F C3 08`, { registers }).vector, UD, prefix);
  });
  it('F3 90 with REX.B exchanges R8 and RAX', () => {
    const { registers } = run('F3 49 90', { registers: { 0: 1n, 8: 2n } });
    assert.deepEqual([registers[0], registers[8]], [2n, 1n]);
  });
});

describe('addresses', () => {
  it('a 16-byte access over the end of a page reports the start of the page that is missing', () => {
    for (const code of ['0F 10 00', '0F 11 00', 'F3 0F 6F 00', 'F2 0F F0 00']) {
      const { vector, address } = run(code, { registers: { 0: END - 3n } });
      assert.deepEqual([vector, address], [PF, END], code);
    }
  });
  it('a 16-byte access between two missing pages reports the first', () => {
    const { vector, address } = run('0F 10 00', { registers: { 0: END + 0xffdn } });
    assert.deepEqual([vector, address], [PF, END + 0xffdn]);
  });
  it('an access over the end of the canonical addresses is #GP', () => {
    for (const code of ['8B 00', '89 00', '01 00', '0F 10 00', '0F 11 00'])
      assert.equal(run(code, { registers: { 0: NOT_CANONICAL - 2n } }).vector, GP, code);
  });
  it('a stack access that is not canonical is #SS, with its base as with an implicit access', () => {
    for (const code of ['50', '58', 'C3', 'E8 00 00 00 00', '8B 04 24', '0F 10 04 24'])
      assert.equal(run(code, { registers: { 4: NOT_CANONICAL + 8n } }).vector, SS, code);
    assert.equal(run('8B 45 00', { registers: { 5: NOT_CANONICAL } }).vector, SS);
    assert.equal(run('C9', { registers: { 5: NOT_CANONICAL } }).vector, SS);
  });
  it('R12, R13 and GS-relative addresses are no stack accesses', () => {
    assert.equal(run('41 8B 04 24', { registers: { 12: NOT_CANONICAL } }).vector, GP);
    assert.equal(run('41 8B 45 00', { registers: { 13: NOT_CANONICAL } }).vector, GP);
    assert.equal(run('65 8B 45 00', { registers: { 5: NOT_CANONICAL } }).vector, GP);
  });
  it('PUSH of a memory operand that is not canonical is #GP while the stack is good', () => {
    const registers = { 0: NOT_CANONICAL, 4: BigInt(DATA_ADDRESS + 0x100) };
    assert.equal(run('FF 30', { registers }).vector, GP);
  });
});

describe('relative branches to an address that is not canonical', () => {
  const rip = TOP_CODE_ADDRESS;
  const registers = { 4: BigInt(DATA_ADDRESS + 0x100) };
  it('are #GP at the branch', () => {
    for (const code of ['E9 00 08 00 00', '0F 84 00 08 00 00', 'E8 00 08 00 00']) {
      const result = run(code, { rip, registers, flags: 0x40n });
      assert.deepEqual([result.vector, result.rip, result.registers[4]], [GP, rip, registers[4]], code);
      assert.equal(result.changes.size, 0);
    }
  });
  it('are none when the branch is not taken', () => {
    const result = run('0F 84 00 08 00 00', { rip });
    assert.deepEqual([result.vector, result.rip], [RETIRED, rip + 6n]);
  });
});

describe('accesses to devices', () => {
  const device = BigInt(DEVICE_ADDRESS);
  it('CLFLUSH makes none, but faults as a load does', () => {
    assert.equal(run('0F AE 38', { registers: { 0: device } }).vector, RETIRED);
    assert.deepEqual(accesses, []);
    const { vector, error, address } = run('0F AE 38', { registers: { 0: END } });
    assert.deepEqual([vector, error, address], [PF, 4, END]);
  });
  it('MASKMOVDQU writes the bytes that the mask names and reads nothing', () => {
    const xmm = { 0: '00 11 22 33 44 55 66 77 88 99 AA BB CC DD EE FF', 1: `80 7F ${'00 '.repeat(13)}FF` };
    assert.equal(run('66 0F F7 C1', { registers: { 7: device }, xmm }).vector, RETIRED);
    assert.deepEqual(accesses, ['write 1 at 0x10000000: 0x0', 'write 1 at 0x1000000f: 0xff']);
  });
  it('MASKMOVQ has to be aligned while alignment is checked, whatever its mask; MASKMOVDQU has not', () => {
    const start = { registers: { 7: BigInt(DATA_ADDRESS + 1) }, flags: 0x40000n };
    assert.equal(run('0F F7 C1', start).vector, 17);
    assert.equal(run('66 0F F7 C1', start).vector, RETIRED);
  });
  it('MASKMOVDQU looks at its segment prefix, and at no page without a byte to write', () => {
    const xmm = { 0: 'AA '.repeat(16), 1: `FF ${'00 '.repeat(15)}` };
    const last = END - 1n;
    const result = run('65 66 0F F7 C1', { registers: { 7: last - BigInt(GS_BASE) }, xmm });
    assert.equal(result.vector, RETIRED);
    assert.equal(result.changes.get(DATA_SIZE - 8), 0xaafe_fdfc_fbfa_f9f8n);
  });
});

describe('alignment checks', () => {
  const AC = 17;
  const flags = 0x40000n;
  const at = (offset: number): Start => ({ flags, registers: { 7: BigInt(DATA_ADDRESS + offset) } });
  /** An FNSAVE or FRSTOR image that ends beyond the data pages. */
  const nearEnd = (offset: number): Start => at(DATA_SIZE - 64 + offset);
  it('of x87 stores come before the page is looked for, of 80-bit numbers as of 8 bytes', () => {
    for (const code of ['D9 1F', 'DD 1F', 'DB 3F', 'DF 37', 'DF 3F', 'DB 1F', 'DF 1F'])
      assert.equal(run(code, at(DATA_SIZE + 1)).vector, AC, code); // FSTP FBSTP FISTP
    assert.equal(run('DB 3F', at(8)).vector, RETIRED);
    assert.equal(run('DB 3F', at(4)).vector, AC);
  });
  it('are made of x87 stores whose exception leaves memory as it is', () => {
    const x87 = { control: 0x37e, status: 0, tags: 0, registers: [] }; // an empty stack, IM clear
    for (const code of ['D9 1F', 'DD 1F', 'DB 3F', 'DF 37', 'DF 3F'])
      assert.equal(run(code, { ...at(1), x87 }).vector, AC, code);
    assert.equal(run('DB 3F', { ...at(8), x87 }).vector, RETIRED);
  });
  it('ask of x87 images that their fields are aligned, not the registers in them', () => {
    for (const code of ['DD 37', 'DD 27', 'D9 37', 'D9 27']) {
      // FNSAVE FRSTOR FNSTENV FLDENV, by 4 and with a 66 prefix by 2
      assert.equal(run(code, at(4)).vector, RETIRED, code);
      assert.equal(run(code, at(2)).vector, AC, code);
      assert.equal(run(`66 ${code}`, at(2)).vector, RETIRED, code);
      assert.equal(run(`66 ${code}`, at(1)).vector, AC, code);
    }
    for (const code of ['DD 37', 'DD 27']) {
      assert.equal(run(code, nearEnd(4)).vector, PF, code);
      assert.equal(run(code, nearEnd(2)).vector, AC, code);
    }
  });
  it('of INS come before the port is read', () => {
    const start = (offset: number): Start => ({
      flags: flags | 0x3000n, // IOPL 3
      registers: { 2: 0x60n, 7: BigInt(DATA_ADDRESS + offset) },
    });
    assert.equal(run('6D', start(2)).vector, AC);
    assert.deepEqual(accesses, []);
    assert.equal(run('6D', start(4)).vector, RETIRED);
    assert.deepEqual(accesses, ['in 4 from 0x60']);
  });
});

describe('stack operations in 16-bit segments', () => {
  it('ENTER with a 32-bit operand size pushes all of ESP as the frame pointer', () => {
    const result = run('66 C8 00 00 01', { registers: { 4: 0x1234_2000n, 5: 0x2100n }, kind: '16' });
    assert.equal(result.vector, RETIRED);
    assert.equal(BigInt.asUintN(32, result.registers[5] ?? 0n), 0x1234_1ffcn);
    assert.equal(result.changes.get(0x1ff8), 0x2100_1234_1ffcn);
  });
});

describe('SSE floating-point exceptions', () => {
  const XM = 19;
  const [UNDERFLOW, OVERFLOW, INEXACT] = [0x10, 8, 0x20];
  const xmmOf = (low: bigint): string => Buffer.from(BigUint64Array.of(low, 0n).buffer).toString('hex');
  it('an unmasked overflow or underflow is inexact only if it were so with unbounded exponents', () => {
    const product = (a: bigint, b: bigint, mxcsr: number): [number, number] => {
      const result = run('F2 0F 59 C1', { xmm: { 0: xmmOf(a), 1: xmmOf(b) }, mxcsr }); // mulsd xmm0, xmm1
      return [result.vector, result.mxcsr & 0x3f];
    };
    const [huge, tiny, third] = [0x7fe0_0000_0000_0000n, 0x0010_0000_0000_0000n, 0x3fd5_5555_5555_5555n];
    assert.deepEqual(product(huge, huge, 0x1b80), [XM, OVERFLOW]);
    assert.deepEqual(product(huge + 1n, huge + 1n, 0x1b80), [XM, OVERFLOW | INEXACT]);
    assert.deepEqual(product(huge, huge, 0x1f80), [RETIRED, OVERFLOW | INEXACT]);
    assert.deepEqual(product(tiny, third - 1n, 0x1780), [XM, UNDERFLOW]);
    assert.deepEqual(product(tiny, third, 0x1f80), [RETIRED, UNDERFLOW | INEXACT]);
  });
  it('CVTSD2SS: an exact result below the range of singles, underflow unmasked', () => {
    const result = run('F2 0F 5A C1', { xmm: { 1: xmmOf(0x1390_0000_0000_0000n) }, mxcsr: 0x1780 });
    assert.deepEqual([result.vector, result.mxcsr & 0x3f], [XM, UNDERFLOW]);
  });
  it('DPPD: a denormal product that the addition refuses leaves the sum uncomputed', () => {
    const xmm = {
      3: '00 00 00 00 00 00 70 85 00 00 00 00 00 00 e9 38',
      4: '00 00 00 00 00 00 50 ba 00 00 00 18 1d 81 b1 0e',
    };
    const result = run('66 0f 3a 41 e3 7f', { xmm, mxcsr: 0xc09 }); // dppd xmm4, xmm3, 7fh
    assert.deepEqual([result.vector, result.mxcsr], [XM, 0xc0b]); // DE of the sum, not its PE
  });
  it('RCPSS: a result below the smallest normal number is a zero, not rounded up to it', () => {
    const result = run('F3 0F 53 C1', { xmm: { 1: '02 00 80 7E' } });
    assert.deepEqual([result.vector, Buffer.from(result.xmm.subarray(0, 4)).readUInt32LE()], [RETIRED, 0]);
  });
});

describe('x87', () => {
  it('FYL2X: a tiny result that happens to be exact is reported as inexact, and so as an underflow, too', () => {
    const fyl2x = (control: number, y: string): number =>
      run('D9 F1', { x87: { control, status: 0, tags: 0xff, registers: ['00 00 40 00 00 00 00 00 00 00', y] } }).x87
        .status;
    const [tiny, two] = ['00 00 40 00 00 00 00 00 00 80', '00 00 00 00 00 00 00 80 00 40'];
    assert.equal(fyl2x(0x37f, tiny), 0x832); // PE UE DE
    assert.equal(fyl2x(0x37f, two), 0x822); // not tiny
  });
});

describe('the place of a fault', () => {
  it('is the instruction', () => {
    assert.equal(run('0F 0B').rip, BigInt(CODE_ADDRESS));
  });
});
