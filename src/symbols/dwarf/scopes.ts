/** Variables: what is visible at an address, and globals (DWARF 5, 3.3 to 3.5 and 4.1). */

import type { BlockScope, DwarfExpression, FrameScopes, VariableInfo, VariableLocation } from '../api.ts';
import { toLittleEndian } from './expression.ts';
import { DW_AT, DW_OP, DW_TAG } from './constants.ts';
import type { CallSites } from './call-sites.ts';
import type { AttributeValue } from './forms.ts';
import type { FunctionTable, ScopePath } from './functions.ts';
import type { LineTable } from './line-table.ts';
import { frameBaseAt, variableLocation } from './locations.ts';
import { isTopLevel } from './name-index.ts';
import { mentionsEntryValue } from './portable-expression.ts';
import type { TypeBuilder } from './types.ts';
import type { Unit, UnitDie } from './unit.ts';

export class ScopeReader {
  readonly #functions: FunctionTable;
  readonly #lines: LineTable;
  readonly #types: TypeBuilder;
  readonly #calls: CallSites;
  /** Address of an ELF symbol, for variables that C only declares. */
  readonly #symbolAddress: (name: string) => bigint | null;

  constructor(
    functions: FunctionTable,
    lines: LineTable,
    types: TypeBuilder,
    calls: CallSites,
    symbolAddress: (name: string) => bigint | null,
  ) {
    this.#calls = calls;
    this.#functions = functions;
    this.#lines = lines;
    this.#types = types;
    this.#symbolAddress = symbolAddress;
  }

  /** See `SymbolFile.scopesAt`. */
  at(pc: bigint): readonly FrameScopes[] {
    const path = this.#functions.pathAt(pc);
    if (path === null) return [];
    const frameBase = this.frameBase(path, pc);
    // Cut the path where an inlined instance begins; each part is one frame.
    const frames: UnitDie[][] = [[path.function]];
    for (const scope of path.nested) {
      if (scope.tag === DW_TAG.inlined_subroutine) frames.push([scope]);
      else frames[frames.length - 1]?.push(scope);
    }
    const entry = path.unit.entryOf(path.function, this.#functions.rangesOf(path.function));
    return frames.toReversed().map((scopes) => this.#frame(scopes, pc, entry, frameBase));
  }

  frameBase(path: ScopePath, pc: bigint): DwarfExpression | null {
    const { unit } = path;
    return frameBaseAt(unit, unit.inherited(path.function, DW_AT.frame_base)?.value ?? null, pc);
  }

  #frame(scopes: readonly UnitDie[], pc: bigint, entry: bigint | null, frameBase: DwarfExpression | null): FrameScopes {
    const parameters: VariableInfo[] = [];
    const blocks: BlockScope[] = [];
    const [body] = scopes;
    for (const scope of scopes) {
      const variables: VariableInfo[] = [];
      for (const die of declarationsIn(scope)) {
        const found = this.variable(die, pc);
        if (found === null) continue;
        const variable = this.#trusted(die.unit, found, entry);
        if (die.tag === DW_TAG.formal_parameter && scope === body) parameters.push(variable);
        else variables.push(variable);
      }
      if (variables.length > 0) blocks.unshift({ ranges: this.#functions.rangesOf(scope), variables });
    }
    return {
      functionName: body?.unit.nameOf(body) ?? '',
      id: body?.offset ?? 0,
      inlined: body?.tag === DW_TAG.inlined_subroutine,
      parameters,
      blocks,
      frameBase,
    };
  }

  /** Values on entry say nothing when the function may have been entered again behind its caller's back. */
  #trusted(unit: Unit, variable: VariableInfo, entry: bigint | null): VariableInfo {
    const { location } = variable;
    if (location.kind !== 'expression' || !mentionsEntryValue(unit, location.expression.bytes)) return variable;
    return this.#calls.mayReenter(entry) ? { ...variable, location: { kind: 'optimizedOut' } } : variable;
  }

  /** A variable at a pc (null: at no particular place); null when it has no name. */
  variable(die: UnitDie, pc: bigint | null): VariableInfo | null {
    const { unit } = die;
    const name = unit.nameOf(die);
    if (name === null || name === '') return null;
    const file = unit.inherited(die, DW_AT.decl_file);
    const fileNumber = file?.value.kind === 'constant' ? Number(file.value.value) : null;
    return {
      name,
      type: this.#types.idOf(die),
      location: this.#location(die, name, pc),
      external: unit.inheritedFlag(die, DW_AT.external),
      artificial: unit.inheritedFlag(die, DW_AT.artificial),
      declarationFile: file === null ? -1 : this.#lines.fileId(file.owner.unit, fileNumber),
      declarationLine: unit.inheritedNumber(die, DW_AT.decl_line) ?? 0,
      id: die.offset,
    };
  }

  #location(die: UnitDie, name: string, pc: bigint | null): VariableLocation {
    const { unit } = die;
    const location = unit.inherited(die, DW_AT.location);
    if (location !== null) return variableLocation(location.owner.unit, location.value, pc);
    const constant = unit.inherited(die, DW_AT.const_value);
    if (constant !== null) return constantLocation(constant.owner.unit, constant.value);
    if (unit.flag(die, DW_AT.declaration)) {
      const address = this.#symbolAddress(name);
      if (address !== null) return { kind: 'expression', expression: addressExpression(unit, address) };
    }
    return { kind: 'optimizedOut' };
  }

  /** Global and file-static variables of a unit, in order of declaration; repeated declarations count once. */
  unitGlobals(unit: Unit): readonly VariableInfo[] {
    const found: VariableInfo[] = [];
    for (const die of unit.entries) {
      if (die.tag !== DW_TAG.variable || !isTopLevel(die)) continue;
      if (unit.flag(die, DW_AT.declaration)) continue;
      const variable = this.variable(die, null);
      if (variable !== null) found.push(variable);
    }
    return found;
  }
}

/**
 * The variables and parameters that a scope declares: its own children, and those of its abstract instance that the
 * compiler removed from this copy altogether (they show as optimised out, as in gdb).
 */
function declarationsIn(scope: UnitDie): UnitDie[] {
  const own = scope.children.filter(isDeclaration);
  const abstract = scope.unit.reference(scope, DW_AT.abstract_origin);
  if (abstract === null) return own;
  const present = originsInside(scope);
  const missing = abstract.children.filter((die) => isDeclaration(die) && !present.has(die.offset));
  return [...own, ...missing];
}

function isDeclaration({ tag }: UnitDie): boolean {
  return tag === DW_TAG.variable || tag === DW_TAG.formal_parameter;
}

/**
 * The abstract entries that have a concrete one in the scope. gcc may put them into a block of their own, where gdb
 * does not look for them and shows them twice.
 */
function originsInside(scope: UnitDie): Set<number> {
  const found = new Set<number>();
  const pending = [...scope.children];
  for (let die = pending.pop(); die !== undefined; die = pending.pop()) {
    if (die.tag === DW_TAG.lexical_block) for (const child of die.children) pending.push(child);
    else if (isDeclaration(die)) {
      const origin = die.unit.reference(die, DW_AT.abstract_origin);
      if (origin !== null) found.add(origin.offset);
    }
  }
  return found;
}

function addressExpression(unit: Unit, address: bigint): DwarfExpression {
  const { addressSize } = unit.header;
  const bytes = new Uint8Array(1 + addressSize);
  bytes[0] = DW_OP.addr;
  bytes.set(toLittleEndian(BigInt.asUintN(64, address), addressSize), 1);
  return unit.expression(bytes);
}

function constantLocation(unit: Unit, value: AttributeValue): VariableLocation {
  switch (value.kind) {
    case 'constant': {
      const size = value.bits === null ? 8 : value.bits / 8;
      return { kind: 'constant', bytes: toLittleEndian(BigInt.asUintN(64, value.value), size), signed: value.signed };
    }
    case 'block':
    case 'expression':
      return { kind: 'constant', bytes: value.bytes.slice(), signed: false };
    case 'address':
      return { kind: 'constant', bytes: toLittleEndian(value.value, unit.header.addressSize), signed: false };
    default: {
      const text = unit.text(value);
      if (text === null) return { kind: 'error', message: 'The constant has a form that is not supported.' };
      return { kind: 'constant', bytes: new TextEncoder().encode(`${text}\0`), signed: false };
    }
  }
}
