/** variables, setVariable, setExpression, evaluate. */
import { hexadecimal } from '../../debugger/bits.ts';
import { splitAssignment } from '../../debugger/expression/lexer.ts';
import { splitFormat } from '../../debugger/format.ts';
import { registerNamed } from '../../debugger/registers.ts';
import { withTypes } from '../../debugger/types.ts';
import type { Value } from '../../debugger/value.ts';
import { readBytes, scalarKind } from '../../debugger/value.ts';
import type { Page, VariableRow } from '../../debugger/variables.ts';
import { rowOf } from '../../debugger/variables.ts';
import type { FrameView } from '../../debugger/debugger.ts';
import { ProtocolError } from '../errors.ts';
import type { Group, P } from '../protocol.ts';
import type { BranchReference } from '../references.ts';
import { findRow, rowsOf } from '../variable-rows.ts';
import type { Session } from '../session.ts';

export function variables(session: Session): Group<'variables' | 'setVariable' | 'setExpression' | 'evaluate'> {
  return {
    async variables(argument) {
      session.requireStopped();
      const reference = session.references.branch(argument.variablesReference);
      const rows = await rowsOf(session, reference, {
        filter: argument.filter,
        start: argument.start,
        count: argument.count,
        hexadecimal: argument.format?.hex === true,
      });
      return { variables: rows.map((row) => toVariable(session, reference, row)) };
    },

    async setVariable(argument, call) {
      session.requireStopped();
      const reference = session.references.branch(argument.variablesReference);
      const row = await findRow(session, reference, argument.name);
      await assignRow(session, reference, row, argument.value);
      const hex = argument.format?.hex === true;
      const fresh = await findRow(session, reference, argument.name, hex);
      call.after(() => session.changed());
      const { value, type, variablesReference, namedVariables, indexedVariables } = toVariable(
        session,
        reference,
        fresh,
      );
      return {
        value,
        variablesReference,
        ...(type === undefined ? {} : { type }),
        ...(namedVariables === undefined ? {} : { namedVariables }),
        ...(indexedVariables === undefined ? {} : { indexedVariables }),
      };
    },

    async setExpression(argument, call) {
      session.requireStopped();
      const view = await session.viewOf(argument.frameId);
      const vcpu = view?.frame.vcpu ?? session.focus;
      const object = await session.debugger.evaluate(argument.expression, view, vcpu);
      await session.debugger.assign(object, argument.value, view, vcpu);
      call.after(() => session.changed());
      const fresh = await session.viewOf(argument.frameId);
      const result = await describe(session, argument.expression, fresh, vcpu, argument.format?.hex === true);
      return { value: result.result, ...withoutResult(result) };
    },

    async evaluate(argument, call) {
      session.life.require('use');
      if (argument.context === 'repl' && argument.expression.trim() === '')
        return { result: '', variablesReference: 0 };
      // A running guest can be asked too: for globals and registers, as they are between two slices.
      const view = await session.viewOf(argument.frameId);
      const vcpu = view?.frame.vcpu ?? session.focus;
      const hex = argument.format?.hex === true;
      // Only what is typed into the console may change the guest; watches and hovers are evaluated unasked.
      const assignment = argument.context === 'repl' ? splitAssignment(argument.expression) : undefined;
      if (assignment === undefined) return describe(session, argument.expression, view, vcpu, hex);
      session.requireStopped();
      const object = await session.debugger.evaluate(assignment.object, view, vcpu);
      await session.debugger.assign(object, assignment.value, view, vcpu);
      call.after(() => session.changed());
      return describe(session, assignment.object, await session.viewOf(argument.frameId), vcpu, hex);
    },
  };
}

function withoutResult(body: P.EvaluateResponse['body']): Omit<P.EvaluateResponse['body'], 'result'> {
  const { result: _result, ...rest } = body;
  return rest;
}

/** Evaluates and formats. `expression,x` shows hexadecimal numbers, `expression,d` decimal ones. */
async function describe(
  session: Session,
  written: string,
  view: FrameView | undefined,
  vcpu: number,
  hex: boolean,
): Promise<P.EvaluateResponse['body']> {
  const { text: expression, hexadecimal: wish } = splitFormat(written);
  const { debugger: debugger_ } = session;
  const { modules } = debugger_;
  const register = /^\s*\$(\w+)\s*$/.exec(expression);
  const found = register === null ? undefined : registerNamed((register[1] ?? '').toLowerCase());
  const value = await debugger_.evaluate(expression, view, vcpu);
  const page: Page = {
    hexadecimal: wish ?? (hex || found !== undefined),
    symbolize: modules.symbolize,
  };
  const row = await modules.withNames(() => withTypes(() => rowOf(expression, value, page, expression)));
  // What cannot be read is an error to who asked for it; in a list of variables it is said in place of the value.
  const kind = await withTypes(() => scalarKind(value.store, value.type));
  const probe = kind === undefined ? undefined : readBytes(value, kind.size);
  if (probe?.kind === 'unavailable' || probe?.kind === 'error') throw new ProtocolError('notAvailable', probe.reason);
  const branch = row.children;
  return {
    result: row.text,
    ...(row.type === undefined ? {} : { type: row.type }),
    variablesReference: branch === undefined ? 0 : session.references.add(branch, vcpu, view),
    ...counts(row),
    ...(row.memory === undefined ? {} : { memoryReference: hexadecimal(row.memory) }),
    ...(row.readOnly ? { presentationHint: { attributes: ['readOnly'] } } : {}),
  };
}

async function assignRow(session: Session, reference: BranchReference, row: VariableRow, text: string): Promise<void> {
  const { vcpu, view } = reference;
  const { debugger: debugger_ } = session;
  if (row.kind === 'register' && row.evaluateName !== undefined && !row.readOnly) {
    const register = await debugger_.evaluate(row.evaluateName, view, vcpu);
    await debugger_.assign(register, text, view, vcpu);
    return;
  }
  const object: Value | undefined = row.value;
  if (object === undefined || row.readOnly)
    throw new ProtocolError('notAssignable', `'${row.name}' cannot be changed.`);
  await debugger_.assign(object, text, view, vcpu);
}

function toVariable(session: Session, reference: BranchReference, row: VariableRow): P.Variable {
  const { vcpu, view } = reference;
  const context = row.value?.location.kind === 'memory' ? 'trapline.memory' : undefined;
  return {
    name: row.name,
    value: row.text,
    ...(row.type === undefined ? {} : { type: row.type }),
    variablesReference: row.children === undefined ? 0 : session.references.add(row.children, vcpu, view),
    ...counts(row),
    ...(row.evaluateName === undefined ? {} : { evaluateName: row.evaluateName }),
    ...(row.memory === undefined ? {} : { memoryReference: hexadecimal(row.memory) }),
    ...(row.readOnly ? { presentationHint: { attributes: ['readOnly'] } } : {}),
    ...(context === undefined ? {} : { __vscodeVariableMenuContext: context }),
  } as P.Variable;
}

/** Numbers of children, where there are any. */
function counts(row: VariableRow): { namedVariables?: number; indexedVariables?: number } {
  return {
    ...(row.named > 0 ? { namedVariables: row.named } : {}),
    ...(row.indexed > 0 ? { indexedVariables: row.indexed } : {}),
  };
}
