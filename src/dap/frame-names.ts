/** Names of stack frames, in the format that a client asks for. */
import type { Frame } from '../debugger/frames.ts';
import { withTypes } from '../debugger/types.ts';
import type { Arguments } from './arguments.ts';
import type { Session } from './session.ts';
import { variableRow } from './variable-rows.ts';

type Format = NonNullable<Arguments['stackTrace']['format']>;

/** `kernel.elf!insert(list = 0x189040, int key = 7):79`, as far as it is asked for; without a format, the bare name. */
export async function frameName(session: Session, frame: Frame, format: Format | undefined): Promise<string> {
  const name = frame.inlined ? `${frame.name} [inlined]` : frame.name;
  if (format === undefined) return name;
  const module = format.module === true ? frame.physical.module?.name : undefined;
  const line = format.line === true ? frame.source?.line : undefined;
  return [
    module === undefined ? '' : `${module}!`,
    name,
    await parameterList(session, frame, format),
    line === undefined ? '' : `:${session.client.line(line)}`,
  ].join('');
}

async function parameterList(session: Session, frame: Frame, format: Format): Promise<string> {
  const { parameterTypes, parameterNames, parameterValues } = format;
  if ([format.parameters, parameterTypes, parameterNames, parameterValues].every((wish) => wish !== true)) return '';
  const view = await session.debugger.view(frame);
  const scopes = view.extras.scopes[frame.scopeIndex];
  // Machine code has no parameters that are known.
  if (scopes === undefined) return '';
  const namesAlone = parameterTypes !== true && parameterValues !== true;
  const { modules } = session.debugger;
  const page = { hexadecimal: format.hex === true, symbolize: modules.symbolize };
  const parameters = scopes.parameters.filter(({ artificial }) => !artificial);
  const rows = await modules.withNames(() =>
    withTypes(() => parameters.map((parameter) => variableRow(view, parameter, page))),
  );
  const words = rows.map((row) => {
    const declared = [
      ...(parameterTypes === true && row.type !== undefined ? [row.type] : []),
      ...(parameterNames === true || namesAlone ? [row.name] : []),
    ].join(' ');
    if (parameterValues !== true) return declared;
    return declared === '' ? row.text : `${declared} = ${row.text}`;
  });
  return `(${words.join(', ')})`;
}
