/** Unwinding of one frame (DWARF 5, 6.4.4). Pure; runs in the debugger's thread. */

import type { FrameRegisters, RegisterRule, UnwindRow, UnwoundFrame } from './api.ts';
import { evaluateLocation, evaluateValue, fromLittleEndian } from './dwarf/expression.ts';
import { dwarfRegisters } from './dwarf/registers.ts';

type ReadMemory = (address: bigint, length: number) => Uint8Array | undefined;

/**
 * The caller's registers, from a frame's registers and the call-frame row for its pc.
 *
 * @param row what `SymbolFile.unwindRowAt` gave for the frame's pc (minus one for return addresses)
 * @param registers the frame's registers by DWARF number
 * @param readMemory linear memory
 * @param loadBias run-time minus link-time address
 */
export function unwindFrame(
  row: UnwindRow,
  registers: FrameRegisters,
  readMemory: ReadMemory,
  loadBias = 0n,
): UnwoundFrame {
  const machine = dwarfRegisters(row.machine);
  const bits = machine.wordSize * 8;
  const context = { register: (number: number) => registers.get(number), readMemory, loadBias };

  let cfa: bigint | undefined;
  switch (row.cfa.kind) {
    case 'register': {
      const base = registers.get(row.cfa.register);
      cfa = base === undefined ? undefined : BigInt.asUintN(bits, base + row.cfa.offset);
      break;
    }
    case 'expression':
      cfa = evaluateValue(row.cfa.expression, context);
      break;
    case 'undefined':
      return { kind: 'outermost', cfa: null };
  }
  if (cfa === undefined)
    return { kind: 'failed', reason: 'The canonical frame address cannot be computed.', cfa: null };

  const frame = cfa;
  const load = (address: bigint): bigint | undefined => {
    const bytes = readMemory(BigInt.asUintN(bits, address), machine.wordSize);
    return bytes === undefined ? undefined : fromLittleEndian(bytes);
  };
  const apply = (register: number, rule: RegisterRule): bigint | undefined => {
    switch (rule.kind) {
      case 'undefined':
        return undefined;
      case 'sameValue':
        return registers.get(register);
      case 'offset':
        return load(frame + rule.offset);
      case 'valueOffset':
        return BigInt.asUintN(bits, frame + rule.offset);
      case 'register':
        return registers.get(rule.register);
      case 'expression': {
        const place = evaluateLocation(rule.expression, { ...context, cfa: frame }, [frame]);
        if (place.kind === 'memory') return load(place.address);
        return place.kind === 'register' ? registers.get(place.register) : undefined;
      }
      case 'valueExpression':
        return evaluateValue(rule.expression, { ...context, cfa: frame }, [frame]);
    }
  };

  const caller = new Map<number, bigint>();
  // A call keeps what the ABI says. Interrupted code goes on with all of its registers, so those of a signal frame that
  // are not saved (yet, or any more) are still in place.
  for (const [register, value] of registers) {
    if (machine.calleeSaved.has(register) || (row.signalFrame && register !== machine.pc)) caller.set(register, value);
  }
  caller.set(machine.stackPointer, frame);
  let returnAddress: bigint | undefined;
  let outermost = false;
  for (const { register, rule } of row.registers) {
    const value = apply(register, rule);
    if (register === row.returnAddressRegister) {
      returnAddress = value;
      if (rule.kind === 'undefined') outermost = true;
    }
    if (value === undefined) caller.delete(register);
    else caller.set(register, value);
  }
  if (outermost) return { kind: 'outermost', cfa: frame };
  if (returnAddress === undefined) {
    return {
      kind: 'failed',
      reason: `The return address at frame 0x${frame.toString(16)} cannot be read.`,
      cfa: frame,
    };
  }
  if (returnAddress === 0n) return { kind: 'outermost', cfa: frame };
  caller.set(machine.pc, returnAddress);
  return { kind: 'frame', cfa: frame, registers: caller, pc: returnAddress, interrupted: row.signalFrame };
}
