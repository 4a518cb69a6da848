/**
 * Public face of src/symbols. Other folders import from here only; see api.ts for the rules.
 *
 * Services:
 *   createLocalSymbols(host: SymbolHost): Symbols
 *   createSymbolService(port: SymbolPort, host: SymbolHost): void            the worker's end
 *   createSymbolClient(port: SymbolPort): SymbolClient                       the debugger's end
 *   createEnduringSymbols(start, say): Symbols                              outlives its worker
 *
 * Pure functions for the debugger's thread:
 *   evaluateLocation(expression: DwarfExpression, context: EvaluationContext): EvaluatedLocation
 *   evaluateVariable(location: VariableLocation, context: EvaluationContext): EvaluatedLocation
 *   evaluateFrameBase(expression: DwarfExpression | null, context: EvaluationContext): bigint | undefined
 *   readLocation(location: EvaluatedLocation, byteSize: number, context: EvaluationContext): LocationContents
 *   planWrite(location: EvaluatedLocation, bytes: Uint8Array, context: EvaluationContext): LocationWrite[] | string
 *   partOfLocation(location: EvaluatedLocation, byteOffset: number, byteSize: number): EvaluatedLocation
 *   entryValueFromCallSite(site: CallSite, calleeEntry: bigint, expression: DwarfExpression, caller: EvaluationContext):
 *     bigint | undefined      calleeEntry: link-time FunctionInfo.entry; guards against tail calls in between
 *   unwindFrame(row: UnwindRow, registers: FrameRegisters, readMemory, loadBias?: bigint): UnwoundFrame
 *   dwarfRegisters(machine: ElfMachine): DwarfRegisters                      names, pc and sp columns
 *   class TypeTable                                                         cache of a file's types, synthetic types
 *   readKallsyms(image: Uint8Array): Kallsyms | undefined                   the symbol table inside a Linux kernel
 *   kallsymsElf(kallsyms: Kallsyms, slide: bigint): Uint8Array              that table as an ELF file
 */

export * from './api.ts';
export { evaluateFrameBase, evaluateLocation, evaluateVariable } from './dwarf/expression.ts';
export { dwarfRegisters, type DwarfRegisters } from './dwarf/registers.ts';
export { entryValueFromCallSite, partOfLocation, planWrite, readLocation } from './location-access.ts';
export { unwindFrame } from './unwind.ts';
export { createLocalSymbols } from './local-symbols.ts';
export { createEnduringSymbols } from './enduring-symbols.ts';
export { createSymbolClient } from './symbol-client.ts';
export { createSymbolService } from './symbol-service.ts';
export { Placement } from './placement.ts';
export { TypeTable } from './type-table.ts';
export { readKallsyms, type Kallsyms, type KernelSymbol } from './linux/kallsyms.ts';
export { kallsymsElf } from './linux/kallsyms-elf.ts';
