/** The branches below a frame: locals, globals, registers of each kind. */
import type { FrameView } from '../../debugger/debugger.ts';
import { visibleVariables } from '../../debugger/names.ts';
import type { Register } from '../../debugger/registers.ts';
import { isLongCode } from '../../debugger/registers.ts';
import { withTypes } from '../../debugger/types.ts';
import type { Branch, Page, VariableRow } from '../../debugger/variables.ts';
import { debugRegisterBranch, listBranch, registerBranch } from '../../debugger/variables.ts';
import type { VariableInfo } from '../../symbols/index.ts';
import type { Session } from '../session.ts';
import { variableRow } from '../variable-rows.ts';

export interface FrameBranches {
  readonly locals: Branch;
  readonly globals: Branch;
  readonly general: Branch;
  readonly segments: Branch;
  readonly control: Branch;
  readonly debug: Branch;
}

export function frameBranches(session: Session, view: FrameView): FrameBranches {
  const { debugger: debugger_ } = session;
  const { vcpu } = view.frame;
  const { module } = view.frame.physical;
  const variables = (list: readonly VariableInfo[], page: Page): Promise<readonly VariableRow[]> =>
    withTypes(() => list.map((info) => variableRow(view, info, page)));

  const locals = listBranch((page) => variables(visibleVariables(view.extras.scopes[view.frame.scopeIndex]), page));
  const globals = listBranch(async (page) => {
    if (module === undefined) return [];
    const list = await module.file.unitGlobals(module.link(view.frame.physical.lookupPc));
    const defined = list.filter(({ location }) => location.kind === 'expression' || location.kind === 'constant');
    return variables(defined, page);
  });
  const access = { read: (register: Register) => view.context.native.register(register.number) };
  const name = (address: bigint): string => {
    const symbol = debugger_.modules.symbolize(address);
    return symbol === undefined ? '' : `<${symbol}>`;
  };
  const describe = (register: Register, value: bigint): string => {
    if (register.group === 'general' || /(_base|lstar|cstar|_eip)$/.test(register.name)) return name(value);
    if (register.name === 'cs')
      return isLongCode(debugger_.target.slots, vcpu) ? `(ring ${value & 3n}, 64-bit code)` : `(ring ${value & 3n})`;
    if (register.name === 'cr0') return flagNames(value, cr0Flags);
    if (register.name === 'cr4') return flagNames(value, cr4Flags);
    if (register.name === 'efer') return flagNames(value, eferFlags);
    return '';
  };
  return {
    locals,
    globals,
    general: registerBranch('general', access, describe),
    segments: registerBranch('segment', access, describe),
    control: registerBranch('control', access, describe),
    debug: debugRegisterBranch(
      () => debugger_.api.slots(vcpu),
      access,
      (address) => {
        const symbol = name(address);
        return symbol === '' ? '' : ` ${symbol}`;
      },
    ),
  };
}

const cr0Flags: readonly (readonly [number, string])[] = [
  [0, 'PE'],
  [1, 'MP'],
  [2, 'EM'],
  [3, 'TS'],
  [4, 'ET'],
  [5, 'NE'],
  [16, 'WP'],
  [18, 'AM'],
  [29, 'NW'],
  [30, 'CD'],
  [31, 'PG'],
];
const cr4Flags: readonly (readonly [number, string])[] = [
  [0, 'VME'],
  [1, 'PVI'],
  [2, 'TSD'],
  [3, 'DE'],
  [4, 'PSE'],
  [5, 'PAE'],
  [6, 'MCE'],
  [7, 'PGE'],
  [8, 'PCE'],
  [9, 'OSFXSR'],
  [10, 'OSXMMEXCPT'],
  [11, 'UMIP'],
  [12, 'LA57'],
  [16, 'FSGSBASE'],
  [17, 'PCIDE'],
  [18, 'OSXSAVE'],
  [20, 'SMEP'],
  [21, 'SMAP'],
];
const eferFlags: readonly (readonly [number, string])[] = [
  [0, 'SCE'],
  [8, 'LME'],
  [10, 'LMA'],
  [11, 'NXE'],
];

function flagNames(value: bigint, flags: readonly (readonly [number, string])[]): string {
  const set = flags.filter(([bit]) => ((value >> BigInt(bit)) & 1n) !== 0n).map(([, name]) => name);
  return `[ ${set.join(' ')}${set.length > 0 ? ' ' : ''}]`;
}
