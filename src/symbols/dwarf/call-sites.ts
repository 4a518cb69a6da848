/** Call sites (DWARF 5, 3.4): what callers pass, for the values that registers had on entry to a function. */

import type { CallSite, CallSiteParameter, DwarfExpression } from '../api.ts';
import { DW_AT, DW_TAG } from './constants.ts';
import type { AttributeValue } from './forms.ts';
import type { FunctionTable } from './functions.ts';
import { mentionsEntryValue } from './portable-expression.ts';
import { linkageName, type Unit, type UnitDie } from './unit.ts';

/** Tail calls are followed through at most so many functions before giving up. */
const tailCallLimit = 1_000;

export class CallSites {
  readonly #functions: FunctionTable;
  /** Address of an ELF symbol, for functions that C only declares. */
  readonly #symbolAddress: (name: string) => bigint | null;
  readonly #reentering = new Map<bigint, boolean>();

  constructor(functions: FunctionTable, symbolAddress: (name: string) => bigint | null) {
    this.#functions = functions;
    this.#symbolAddress = symbolAddress;
  }

  /** See `SymbolFile.callSiteAt`. */
  at(returnAddress: bigint): CallSite | null {
    const path = this.#functions.pathAt(returnAddress - 1n);
    if (path === null) return null;
    const { unit } = path;
    for (const die of callSitesIn(path.function)) {
      // The GNU form of DWARF 4 has the return address in DW_AT_low_pc.
      const attribute = die.tag === DW_TAG.call_site ? DW_AT.call_return_pc : DW_AT.low_pc;
      if (unit.addressOf(unit.attribute(die, attribute)) === returnAddress) {
        const entry = unit.entryOf(path.function, this.#functions.rangesOf(path.function));
        return this.#describe(die, returnAddress, entry);
      }
    }
    return null;
  }

  #describe(die: UnitDie, returnAddress: bigint, caller: bigint | null): CallSite {
    const { unit } = die;
    const parameters: CallSiteParameter[] = [];
    const trusted = (value: DwarfExpression | null): DwarfExpression | null =>
      value !== null && mentionsEntryValue(unit, value.bytes) && this.mayReenter(caller) ? null : value;
    for (const child of die.children) {
      if (child.tag !== DW_TAG.call_site_parameter && child.tag !== DW_TAG.GNU_call_site_parameter) continue;
      const location = expressionOf(unit, unit.attribute(child, DW_AT.location));
      const value = unit.attribute(child, DW_AT.call_value) ?? unit.attribute(child, DW_AT.GNU_call_site_value);
      if (location !== null) parameters.push({ location, value: trusted(expressionOf(unit, value)) });
    }
    return {
      returnAddress,
      target: this.#targetOf(die),
      targetExpression: trusted(targetExpression(die)),
      parameters,
    };
  }

  /** Entry of the function that a call names, or null. */
  #targetOf(die: UnitDie): bigint | null {
    const { unit } = die;
    const callee = unit.reference(die, DW_AT.call_origin) ?? unit.reference(die, DW_AT.abstract_origin);
    return callee === null ? null : this.#entryOf(callee);
  }

  /** The entry of the out-of-line body of a function that a call names by its declaration or abstract instance. */
  #entryOf(callee: UnitDie): bigint | null {
    const { unit } = callee;
    const own = unit.entryOf(callee, unit.rangesOf(callee));
    if (own !== null) return own;
    const name = unit.nameOf(callee);
    if (name === null) return null;
    if (unit.flag(callee, DW_AT.declaration)) return this.#symbolAddress(linkageName(callee) ?? name);
    // Clones of one function complete the same abstract instance: with several of them nobody knows which is called.
    const bodies = this.#functions.of(unit).filter((entry) => {
      const die = entry.name === name ? unit.info.dieAt(entry.id) : null;
      return die !== null && unit.origin(die) === callee;
    });
    return bodies.length === 1 ? (bodies[0]?.entry ?? null) : null;
  }

  /**
   * Whether a function may be entered again by tail calls without its caller's knowledge: then nothing that the
   * caller passed says what the registers held on the last entry. A jump to an unknown place counts as yes. (gdb has
   * the same rule: func_verify_no_selftailcall.)
   *
   * @param entry of the function; null is an unknown one
   */
  mayReenter(entry: bigint | null): boolean {
    if (entry === null) return true;
    let answer = this.#reentering.get(entry);
    if (answer === undefined) {
      answer = this.#followTailCalls(entry);
      this.#reentering.set(entry, answer);
    }
    return answer;
  }

  #followTailCalls(entry: bigint): boolean {
    const visited = new Set<bigint>([entry]);
    const pending = [entry];
    for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
      const path = this.#functions.pathAt(at);
      for (const die of path === null ? [] : callSitesIn(path.function)) {
        const { unit } = die;
        if (!unit.flag(die, DW_AT.call_tail_call) && !unit.flag(die, DW_AT.GNU_tail_call)) continue;
        const target = this.#targetOf(die);
        if (target === null || target === entry || visited.size > tailCallLimit) return true;
        if (!visited.has(target)) {
          visited.add(target);
          pending.push(target);
        }
      }
    }
    return false;
  }
}

/** All calls of a function, those in inlined instances included. */
function callSitesIn(scope: UnitDie): UnitDie[] {
  const found: UnitDie[] = [];
  const pending = [...scope.children];
  for (let die = pending.pop(); die !== undefined; die = pending.pop()) {
    if (die.tag === DW_TAG.call_site || die.tag === DW_TAG.GNU_call_site) found.push(die);
    else if (die.tag !== DW_TAG.subprogram) for (const child of die.children) pending.push(child);
  }
  return found;
}

function targetExpression(die: UnitDie): DwarfExpression | null {
  const { unit } = die;
  const target = unit.attribute(die, DW_AT.call_target) ?? unit.attribute(die, DW_AT.GNU_call_site_target);
  return expressionOf(unit, target);
}

function expressionOf(unit: Unit, value: AttributeValue | null): DwarfExpression | null {
  return value?.kind === 'expression' || value?.kind === 'block' ? unit.expression(value.bytes) : null;
}
