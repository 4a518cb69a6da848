/** Call frame information: .debug_frame (DWARF 5, 6.4) and .eh_frame (LSB 5.0, chapter 10.6). */

import type { CfaRule, DwarfExpression, ElfMachine, RegisterRule, UnwindRow } from '../api.ts';
import type { Reader } from '../reader.ts';
import { compareBigint, lastNotAbove } from '../search.ts';
import type { DebugSections } from './sections.ts';
import { DW_CFA } from './constants.ts';

/** Register numbers beyond this are damage. */
const registerLimit = 1_024;
/** Depth of DW_CFA_remember_state. Compilers use one or two. */
const rememberLimit = 64;

interface CommonInformation {
  readonly version: number;
  readonly addressSize: 4 | 8;
  readonly offsetSize: 4 | 8;
  readonly codeAlignment: bigint;
  readonly dataAlignment: bigint;
  readonly returnAddressRegister: number;
  readonly signalFrame: boolean;
  /** DW_EH_PE_* of addresses in .eh_frame; null in .debug_frame. */
  readonly pointerEncoding: number | null;
  readonly hasAugmentationData: boolean;
  readonly instructions: Reader;
}

/** A frame description entry. */
interface FrameDescription {
  readonly start: bigint;
  readonly end: bigint;
  readonly common: CommonInformation;
  readonly instructions: Reader;
}

/** Rules at one place of the program; register rules by number. */
interface State {
  cfa: CfaRule;
  registers: Map<number, RegisterRule>;
}

export class CallFrames {
  readonly #sections: DebugSections;
  #descriptions: readonly (readonly FrameDescription[])[] | null = null;

  constructor(sections: DebugSections) {
    this.#sections = sections;
  }

  /** See `SymbolFile.unwindRowAt`. .debug_frame goes first, as in gdb. */
  rowAt(pc: bigint): UnwindRow | null {
    this.#descriptions ??= ['.debug_frame', '.eh_frame'].map((name) => this.#read(name));
    for (const table of this.#descriptions) {
      for (let index = lastNotAbove(table, pc, ({ start }) => start); index >= 0; index--) {
        const description = table[index];
        if (description === undefined || pc - description.start > 1n << 32n) break;
        if (pc >= description.end) {
          // Entries of discarded code may lie below; they overlap nothing.
          if (table[index - 1]?.start === description.start) continue;
          break;
        }
        const row = this.#sections.warnings.guard(() => this.#row(description, pc), null);
        if (row !== null) return row;
      }
    }
    return null;
  }

  #row(description: FrameDescription, pc: bigint): UnwindRow {
    const { common } = description;
    const initial: State = { cfa: { kind: 'undefined' }, registers: new Map() };
    const program = new FrameProgram(common, description.start, pc);
    program.run(common.instructions, initial, null);
    const state: State = { cfa: initial.cfa, registers: new Map(initial.registers) };
    program.run(description.instructions, state, initial);
    return {
      functionRange: { start: description.start, end: description.end },
      cfa: state.cfa,
      registers: [...state.registers].map(([register, rule]) => ({ register, rule })),
      returnAddressRegister: common.returnAddressRegister,
      signalFrame: common.signalFrame,
      machine: this.#machine,
    };
  }

  get #machine(): ElfMachine {
    return this.#sections.elf.machine;
  }

  /** All descriptions of a section, sorted by start. Damage ends the list early. */
  #read(name: string): readonly FrameDescription[] {
    const { warnings, elf } = this.#sections;
    const size = this.#sections.size(name);
    if (size === 0) return [];
    const isEh = name === '.eh_frame';
    const found: FrameDescription[] = [];
    warnings.guard(() => {
      const reader = this.#sections.reader(name, 0, size);
      const sectionAddress = elf.section(name)?.address ?? 0n;
      const commons = new Map<number, CommonInformation | null>();
      while (reader.remaining >= 4) {
        let length = reader.u32();
        let offsetSize: 4 | 8 = 4;
        if (length === 0xffff_ffff) {
          offsetSize = 8;
          length = reader.offset(8);
        }
        // A zero terminator: .eh_frame of several objects may go on behind it.
        if (length === 0) continue;
        const entry = reader.slice(length);
        const idAt = entry.position;
        const id = entry.offset(offsetSize);
        const isCommon = isEh ? id === 0 : offsetSize === 8 ? false : id === 0xffff_ffff;
        if (isCommon) continue;
        // LSB: in .eh_frame the pointer counts back from its own place.
        const commonAt = isEh ? idAt - id : id;
        let common = commons.get(commonAt);
        if (common === undefined) {
          common = warnings.guard(() => this.#common(reader.at(commonAt), isEh), null);
          commons.set(commonAt, common);
        }
        if (common === null) continue;
        const description = this.#description(entry, common, sectionAddress);
        // Linkers leave entries of discarded code at address 0.
        const discarded = description.start === 0n && elf.type !== 'relocatable';
        if (description.start < description.end && !discarded) found.push(description);
      }
    }, undefined);
    return found.toSorted((a, b) => compareBigint(a.start, b.start));
  }

  #common(reader: Reader, isEh: boolean): CommonInformation {
    let length = reader.u32();
    let offsetSize: 4 | 8 = 4;
    if (length === 0xffff_ffff) {
      offsetSize = 8;
      length = reader.offset(8);
    }
    const entry = reader.slice(length);
    entry.offset(offsetSize);
    const version = entry.u8();
    if (version !== 1 && version !== 3 && version !== 4) {
      throw entry.malformed(`call frame information of version ${version} is not supported`);
    }
    const augmentation = entry.cString();
    let addressSize: 4 | 8 = this.#sections.elf.class === 64 ? 8 : 4;
    if (version >= 4) {
      const size = entry.u8();
      if (size !== 4 && size !== 8) throw entry.malformed(`call frame addresses of ${size} bytes`);
      addressSize = size;
      entry.u8();
    }
    const codeAlignment = entry.uleb();
    const dataAlignment = entry.sleb();
    const returnAddressRegister = version === 1 ? entry.u8() : entry.ulebNumber();
    let pointerEncoding: number | null = isEh ? 0 : null;
    let signalFrame = false;
    let instructions = entry;
    const hasAugmentationData = augmentation.startsWith('z');
    if (hasAugmentationData) {
      const data = entry.slice(entry.ulebNumber());
      instructions = entry;
      for (const letter of augmentation.slice(1)) {
        if (letter === 'R') pointerEncoding = data.u8();
        else if (letter === 'L') data.u8();
        else if (letter === 'S') signalFrame = true;
        else if (letter === 'P') readPointer(data, data.u8(), addressSize, 0n);
        else if (letter !== 'B') break;
      }
    } else if (/^[SB]*$/.test(augmentation)) {
      // Assemblers write .cfi_signal_frame into .debug_frame in this way.
      signalFrame = augmentation.includes('S');
    } else {
      throw entry.malformed(`the call frame augmentation "${augmentation.slice(0, 8)}" is not supported`);
    }
    return {
      version,
      addressSize,
      offsetSize,
      codeAlignment,
      dataAlignment,
      returnAddressRegister,
      signalFrame,
      pointerEncoding,
      hasAugmentationData,
      instructions,
    };
  }

  #description(entry: Reader, common: CommonInformation, sectionAddress: bigint): FrameDescription {
    const { addressSize, pointerEncoding } = common;
    let start: bigint;
    let length: bigint;
    if (pointerEncoding === null) {
      start = entry.unsigned(addressSize);
      length = entry.unsigned(addressSize);
    } else {
      start = readPointer(entry, pointerEncoding, addressSize, sectionAddress);
      // The length has the format of the address, but is relative to nothing.
      length = BigInt.asUintN(addressSize * 8, readPointer(entry, pointerEncoding & 0x0f, addressSize, 0n));
    }
    if (common.hasAugmentationData) entry.skip(entry.ulebNumber());
    return { start, end: start + length, common, instructions: entry };
  }
}

/** A pointer of .eh_frame (LSB 5.0, 10.5.1: DW_EH_PE_*). */
function readPointer(reader: Reader, encoding: number, addressSize: 4 | 8, sectionAddress: bigint): bigint {
  if (encoding === 0xff) return 0n;
  const place = sectionAddress + BigInt(reader.position);
  let value: bigint;
  switch (encoding & 0x0f) {
    case 0x00:
      value = reader.unsigned(addressSize);
      break;
    case 0x01:
      value = reader.uleb();
      break;
    case 0x02:
      value = BigInt(reader.u16());
      break;
    case 0x03:
      value = BigInt(reader.u32());
      break;
    case 0x04:
    case 0x0c:
      value = reader.u64();
      break;
    case 0x09:
      value = reader.sleb();
      break;
    case 0x0a:
      value = BigInt(reader.i16());
      break;
    case 0x0b:
      value = BigInt(reader.i32());
      break;
    default:
      throw reader.malformed(`pointer encoding 0x${encoding.toString(16)} is not supported`);
  }
  // 0x10: relative to its own place. Data- and text-relative ones do not occur on these machines.
  if ((encoding & 0x70) === 0x10) value += place;
  return BigInt.asUintN(addressSize * 8, value);
}

/** Runs call frame instructions up to a pc (DWARF 5, 6.4.2). */
class FrameProgram {
  readonly #common: CommonInformation;
  readonly #pc: bigint;
  #location: bigint;
  readonly #remembered: State[] = [];

  constructor(common: CommonInformation, start: bigint, pc: bigint) {
    this.#common = common;
    this.#pc = pc;
    this.#location = start;
  }

  /** @param initial the rules of the common entry, for DW_CFA_restore; null while these are being made */
  run(instructions: Reader, state: State, initial: State | null): void {
    const reader = instructions.at(instructions.position);
    const { codeAlignment, dataAlignment, addressSize } = this.#common;
    const rule = (register: number, value: RegisterRule): void => {
      if (register > registerLimit) throw reader.malformed(`register ${register} does not exist`);
      state.registers.set(register, value);
    };
    const restore = (register: number): void => {
      const value = initial?.registers.get(register);
      if (value === undefined) state.registers.delete(register);
      else state.registers.set(register, value);
    };
    const advance = (delta: bigint): void => {
      this.#location += delta * codeAlignment;
    };
    const cfa = (register: number, offset: bigint): void => {
      state.cfa = { kind: 'register', register, offset };
    };
    const cfaRegister = (): number => (state.cfa.kind === 'register' ? state.cfa.register : 0);
    const cfaOffset = (): bigint => (state.cfa.kind === 'register' ? state.cfa.offset : 0n);
    while (reader.remaining > 0) {
      const opcode = reader.u8();
      const low = opcode & 0x3f;
      switch (opcode & 0xc0) {
        case DW_CFA.advance_loc:
          advance(BigInt(low));
          if (this.#location > this.#pc) return;
          continue;
        case DW_CFA.offset:
          rule(low, { kind: 'offset', offset: reader.uleb() * dataAlignment });
          continue;
        case DW_CFA.restore:
          restore(low);
          continue;
      }
      switch (opcode) {
        case DW_CFA.nop:
          break;
        case DW_CFA.set_loc:
          this.#location = reader.unsigned(addressSize);
          if (this.#location > this.#pc) return;
          break;
        case DW_CFA.advance_loc1:
          advance(BigInt(reader.u8()));
          if (this.#location > this.#pc) return;
          break;
        case DW_CFA.advance_loc2:
          advance(BigInt(reader.u16()));
          if (this.#location > this.#pc) return;
          break;
        case DW_CFA.advance_loc4:
          advance(BigInt(reader.u32()));
          if (this.#location > this.#pc) return;
          break;
        case DW_CFA.offset_extended: {
          const register = reader.ulebNumber();
          rule(register, { kind: 'offset', offset: reader.uleb() * dataAlignment });
          break;
        }
        case DW_CFA.offset_extended_sf: {
          const register = reader.ulebNumber();
          rule(register, { kind: 'offset', offset: reader.sleb() * dataAlignment });
          break;
        }
        case DW_CFA.GNU_negative_offset_extended: {
          const register = reader.ulebNumber();
          rule(register, { kind: 'offset', offset: -(reader.uleb() * dataAlignment) });
          break;
        }
        case DW_CFA.restore_extended:
          restore(reader.ulebNumber());
          break;
        case DW_CFA.undefined:
          rule(reader.ulebNumber(), { kind: 'undefined' });
          break;
        case DW_CFA.same_value:
          rule(reader.ulebNumber(), { kind: 'sameValue' });
          break;
        case DW_CFA.register: {
          const register = reader.ulebNumber();
          rule(register, { kind: 'register', register: reader.ulebNumber() });
          break;
        }
        case DW_CFA.remember_state:
          if (this.#remembered.length >= rememberLimit) throw reader.malformed('too many remembered states');
          this.#remembered.push({ cfa: state.cfa, registers: new Map(state.registers) });
          break;
        case DW_CFA.restore_state: {
          const remembered = this.#remembered.pop();
          if (remembered === undefined) throw reader.malformed('a state is restored that was not remembered');
          state.cfa = remembered.cfa;
          state.registers = remembered.registers;
          break;
        }
        case DW_CFA.def_cfa: {
          const register = reader.ulebNumber();
          cfa(register, reader.uleb());
          break;
        }
        case DW_CFA.def_cfa_sf: {
          const register = reader.ulebNumber();
          cfa(register, reader.sleb() * dataAlignment);
          break;
        }
        case DW_CFA.def_cfa_register:
          cfa(reader.ulebNumber(), cfaOffset());
          break;
        case DW_CFA.def_cfa_offset:
          cfa(cfaRegister(), reader.uleb());
          break;
        case DW_CFA.def_cfa_offset_sf:
          cfa(cfaRegister(), reader.sleb() * dataAlignment);
          break;
        case DW_CFA.def_cfa_expression:
          state.cfa = { kind: 'expression', expression: this.#expression(reader) };
          break;
        case DW_CFA.expression: {
          const register = reader.ulebNumber();
          rule(register, { kind: 'expression', expression: this.#expression(reader) });
          break;
        }
        case DW_CFA.val_expression: {
          const register = reader.ulebNumber();
          rule(register, { kind: 'valueExpression', expression: this.#expression(reader) });
          break;
        }
        case DW_CFA.val_offset: {
          const register = reader.ulebNumber();
          rule(register, { kind: 'valueOffset', offset: reader.uleb() * dataAlignment });
          break;
        }
        case DW_CFA.val_offset_sf: {
          const register = reader.ulebNumber();
          rule(register, { kind: 'valueOffset', offset: reader.sleb() * dataAlignment });
          break;
        }
        case DW_CFA.GNU_args_size:
          reader.uleb();
          break;
        default:
          throw reader.malformed(`call frame instruction 0x${opcode.toString(16)} does not exist`);
      }
    }
  }

  #expression(reader: Reader): DwarfExpression {
    const { addressSize, offsetSize } = this.#common;
    const bytes = reader.take(reader.ulebNumber()).slice();
    return { bytes, addressSize, offsetSize, version: 4, addresses: [], baseTypes: [] };
  }
}
