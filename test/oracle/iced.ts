// What iced-x86, an independent decoder, says about an instruction, in our notation.
import {
  Code,
  CpuidFeature,
  Decoder,
  DecoderOptions,
  Instruction,
  MemorySizeExt,
  Mnemonic,
  OpKind,
  Register,
} from 'iced-x86';
import { hexadecimal } from '../../src/core/disassembler/format.ts';
import type { CodeSize } from '../../src/core/disassembler/instruction.ts';

/** F3 0F 09 is WBINVD without WBNOINVD. */
const OPTIONS = DecoderOptions.NoWbnoinvd;

export interface Verdict {
  readonly valid: boolean;
  readonly length: number;
  readonly mnemonic: string;
  readonly operands: readonly string[];
  readonly code: string;
}

const POINTERS: Readonly<Record<number, string>> = {
  1: 'byte ptr ',
  2: 'word ptr ',
  4: 'dword ptr ',
  6: 'fword ptr ',
  8: 'qword ptr ',
  10: 'tbyte ptr ',
  16: 'xmmword ptr ',
};
const registerNames = new Map<Register, string>();
function registerName(register: Register): string {
  let name = registerNames.get(register);
  if (name === undefined) {
    name = Register[register].toLowerCase().replace(/^(r\d+)l$/, '$1b');
    registerNames.set(register, name);
  }
  return name;
}

/** Two tools may name the same thing differently. */
function inOurWords(
  code: string,
  mnemonic: string,
  operands: readonly string[],
): { mnemonic: string; operands: readonly string[] } {
  let named = operands;
  // hints without an effect are NOP with the one operand that is decoded
  if (/^(reservednop|cldemote|prefetchit|nop$)/.test(mnemonic))
    return { mnemonic: 'nop', operands: operands.slice(0, 1).map((operand) => operand.replace(/^\w+ ptr /, '')) };
  if (mnemonic.startsWith('maskmov')) named = operands.slice(1);
  if (/^p?blendv/.test(mnemonic)) named = [...operands, 'xmm0']; // the mask, which only the manual writes
  // a selector in a register is 16 bits wide, whatever the operand size
  if (/^(Lldt|Ltr|Verr|Verw|Lmsw|Lar|Lsl|Mov_Sreg)/.test(code))
    named = operands.map((name, i) => (i === operands.length - 1 ? wordName(name) : name));
  if (code.startsWith('Arpl')) named = operands.map(wordName);
  return { mnemonic: mnemonic.replace(/^sal$/, 'shl').replace(/^(pcmpestr[im])64$/, '$1'), operands: named };
}
const wordName = (name: string): string => name.replace(/^(r\d+)d?$/, '$1w').replace(/^[re](?=[a-z]{2}$)/, '');

/** String operands: register and whether the segment is ES. */
const STRING_OPERANDS = new Map<OpKind, string>([
  [OpKind.MemorySegSI, 'si'],
  [OpKind.MemorySegESI, 'esi'],
  [OpKind.MemorySegRSI, 'rsi'],
  [OpKind.MemorySegDI, 'di'],
  [OpKind.MemorySegEDI, 'edi'],
  [OpKind.MemorySegRDI, 'rdi'],
  [OpKind.MemoryESDI, 'di'],
  [OpKind.MemoryESEDI, 'edi'],
  [OpKind.MemoryESRDI, 'rdi'],
]);
const IMMEDIATE_BITS = new Map<OpKind, number>([
  [OpKind.Immediate8, 8],
  [OpKind.Immediate8_2nd, 8],
  [OpKind.Immediate16, 16],
  [OpKind.Immediate32, 32],
  [OpKind.Immediate64, 64],
  [OpKind.Immediate8to16, 16],
  [OpKind.Immediate8to32, 32],
  [OpKind.Immediate8to64, 64],
  [OpKind.Immediate32to64, 64],
]);
const ES_KINDS = new Set([OpKind.MemoryESDI, OpKind.MemoryESEDI, OpKind.MemoryESRDI]);

export class Iced {
  private readonly decoder: Decoder;
  private readonly instruction = new Instruction();
  private readonly code: CodeSize;
  constructor(data: Uint8Array, code: CodeSize) {
    this.decoder = new Decoder(code, data, OPTIONS);
    this.code = code;
  }
  free(): void {
    this.decoder.free();
    this.instruction.free();
  }
  /** The instruction at an offset of the data. */
  at(offset: number, rip: bigint): Verdict {
    const { decoder, instruction } = this;
    decoder.position = offset;
    decoder.ip = rip;
    decoder.decodeOut(instruction);
    if (instruction.code === Code.INVALID)
      return { valid: false, length: 0, mnemonic: '', operands: [], code: 'INVALID' };
    const kinds = Array.from({ length: instruction.opCount }, (_, i) => instruction.opKind(i));
    const code = Code[instruction.code];
    const operands = kinds.map((kind, i): string => this.operand(kind, i));
    return {
      valid: true,
      length: instruction.length,
      ...inOurWords(code, this.mnemonic(kinds), operands),
      code,
    };
  }
  /** CPUID features that the last instruction needs. */
  features(): readonly string[] {
    return [...this.instruction.cpuidFeatures()].map((feature) => CpuidFeature[feature] ?? '');
  }
  private mnemonic(kinds: readonly OpKind[]): string {
    const { instruction } = this;
    let name = Mnemonic[instruction.mnemonic].toLowerCase();
    if (kinds.some((kind) => STRING_OPERANDS.has(kind)) && !name.startsWith('maskmov')) {
      const equality = /^(cmps|scas)/.test(name);
      const repeat = instruction.hasRepnePrefix
        ? 'repne '
        : instruction.hasRepPrefix
          ? equality
            ? 'repe '
            : 'rep '
          : '';
      name = `${repeat}${name.slice(0, -1)}`;
    }
    return `${instruction.hasLockPrefix ? 'lock ' : ''}${name}`;
  }
  private operand(kind: OpKind, at: number): string {
    const { instruction } = this;
    if (kind === OpKind.Register) return registerName(instruction.opRegister(at));
    const bits = IMMEDIATE_BITS.get(kind);
    if (bits !== undefined) return hexadecimal(BigInt.asUintN(bits, instruction.immediate(at)));
    if (kind === OpKind.NearBranch16 || kind === OpKind.NearBranch32 || kind === OpKind.NearBranch64)
      return hexadecimal(instruction.nearBranchTarget);
    if (kind === OpKind.FarBranch16 || kind === OpKind.FarBranch32) {
      const offset = kind === OpKind.FarBranch16 ? instruction.farBranch16 : instruction.farBranch32;
      return `${hexadecimal(BigInt(instruction.farBranchSelector))}:${hexadecimal(BigInt(offset))}`;
    }
    const pointer = POINTERS[MemorySizeExt.size(instruction.memorySize)] ?? '';
    const index = STRING_OPERANDS.get(kind);
    if (index !== undefined) {
      const named = registerName(instruction.memorySegment);
      const segment = ES_KINDS.has(kind) ? 'es' : this.code === 64 && !/^[fg]s$/.test(named) ? 'ds' : named;
      return `${pointer}${segment}:[${index}]`;
    }
    return pointer + this.memory();
  }
  private memory(): string {
    const { instruction, code } = this;
    const base = instruction.memoryBase;
    const bits = 8 * (instruction.memoryDisplSize || 1);
    let displacement = instruction.memoryDisplacement;
    let text = '';
    if (base === Register.RIP || base === Register.EIP) {
      const width = base === Register.RIP ? 64 : 32;
      displacement = BigInt.asIntN(width, displacement - instruction.nextIP);
      text = registerName(base);
      text += `${displacement < 0n ? '' : '+'}${hexadecimal(displacement)}`;
    } else {
      if (base !== Register.None) text = registerName(base);
      if (instruction.memoryIndex !== Register.None) {
        const scale = instruction.memoryIndexScale;
        text += `${text === '' ? '' : '+'}${registerName(instruction.memoryIndex)}${scale === 1 ? '' : `*${scale}`}`;
      }
      const address = this.addressBits(base);
      if (text === '') text = hexadecimal(BigInt.asUintN(address, displacement));
      else {
        displacement = BigInt.asIntN(Math.min(address, bits === 8 ? address : 64), displacement);
        if (displacement !== 0n) text += `${displacement < 0n ? '' : '+'}${hexadecimal(displacement)}`;
      }
    }
    const segment = registerName(instruction.memorySegment);
    const stack = /^[re]?[sb]p$/.test(registerName(base));
    const shown = code === 64 ? /^[fg]s$/.test(segment) : segment !== (stack ? 'ss' : 'ds');
    return `${shown ? `${segment}:` : ''}[${text}]`;
  }
  /** Bits of the effective address. */
  private addressBits(base: Register): number {
    const { instruction } = this;
    const register = base === Register.None ? instruction.memoryIndex : base;
    if (register !== Register.None) {
      const name = registerName(register);
      return name.startsWith('r') && !name.endsWith('d') ? 64 : name.startsWith('e') || name.startsWith('r') ? 32 : 16;
    }
    return { 2: 16, 4: 32, 8: 64 }[instruction.memoryDisplSize] ?? 64;
  }
}
