/** Rows of branches of variables, as requests for them and for one of them need them. */
import type { FrameView } from '../debugger/debugger.ts';
import type { Value } from '../debugger/value.ts';
import type { Page, VariableRow } from '../debugger/variables.ts';
import { rowOf } from '../debugger/variables.ts';
import type { VariableInfo } from '../symbols/index.ts';
import { evaluateVariable } from '../symbols/index.ts';
import { ProtocolError } from './errors.ts';
import type { BranchReference } from './references.ts';
import type { Session } from './session.ts';

interface PageWish {
  readonly filter?: 'named' | 'indexed' | undefined;
  readonly start?: number | undefined;
  readonly count?: number | undefined;
  readonly hexadecimal: boolean;
}

export async function rowsOf(
  session: Session,
  reference: BranchReference,
  wish: PageWish,
): Promise<readonly VariableRow[]> {
  const { modules } = session.debugger;
  const page: Page = {
    filter: wish.filter,
    start: wish.start,
    count: wish.count,
    hexadecimal: wish.hexadecimal,
    symbolize: modules.symbolize,
  };
  const rows = await modules.withNames(() => reference.branch.rows(page));
  for (const row of rows) reference.rows.set(row.name, row);
  return rows;
}

/** The row of a name, as it is now. */
export async function findRow(
  session: Session,
  reference: BranchReference,
  name: string,
  hex = false,
): Promise<VariableRow> {
  const index = /^\[(\d+)\]$/.exec(name);
  const wish = index === null ? {} : { start: Number(index[1]), count: 1 };
  const rows = await rowsOf(session, reference, { ...wish, hexadecimal: hex });
  const row = rows.find((one) => one.name === name);
  if (row === undefined) throw new ProtocolError('unknownReference', `There is no variable '${name}' here.`);
  return row;
}

/** The row of a variable of a frame. Types must be complete enough: wrap in `withTypes`. */
export function variableRow(view: FrameView, info: VariableInfo, page: Page): VariableRow {
  const { context, scope } = view;
  const location = evaluateVariable(info.location, context);
  const value: Value = { store: scope.store, type: info.type, location, byteOffset: 0, context };
  return rowOf(info.name, value, page, info.name);
}
