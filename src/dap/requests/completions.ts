/** completions: registers behind `$`, members behind `.` and `->`, else names in scope. */
import type { FrameView } from '../../debugger/debugger.ts';
import { registerNames } from '../../debugger/registers.ts';
import { withTypes } from '../../debugger/types.ts';
import type { Group, P } from '../protocol.ts';
import type { Session } from '../session.ts';
import { ModuleScope } from '../../debugger/names.ts';

const LIMIT = 100;

export function completions(session: Session): Group<'completions'> {
  return {
    async completions(argument) {
      if (!session.isLaunched) return { targets: [] };
      // Of several lines only the text before the cursor counts, as if it were one.
      const text = argument.text.slice(0, argument.column - 1);
      const view = await session.viewOf(argument.frameId);
      const register = /\$(\w*)$/.exec(text);
      if (register !== null) return { targets: registerTargets((register[1] ?? '').toLowerCase()) };
      const member = /([\w$.()[\]>-]*[\w)\]])\s*(\.|->)\s*(\w*)$/.exec(text);
      if (member !== null) return { targets: await memberTargets(session, view, member[1] ?? '', member[3] ?? '') };
      const prefix = /[A-Za-z_]\w*$/.exec(text)?.[0] ?? '';
      if (prefix === '') return { targets: [] };
      const scope = view?.scope ?? new ModuleScope(session.debugger.modules, undefined);
      const names = await scope.namesWith(prefix, LIMIT);
      return {
        targets: names.map(({ name, kind }): P.CompletionItem => ({
          label: name,
          type: kind,
          length: prefix.length,
          start: session.client.column(text.length - prefix.length + 1),
        })),
      };
    },
  };
}

function registerTargets(prefix: string): P.CompletionItem[] {
  return registerNames()
    .filter((name) => name.startsWith(prefix))
    .map((name) => ({ label: `$${name}`, text: name, type: 'variable' as const, length: prefix.length }));
}

async function memberTargets(
  session: Session,
  view: FrameView | undefined,
  object: string,
  prefix: string,
): Promise<P.CompletionItem[]> {
  const compiled = await session.debugger.compile(object, view).catch(() => undefined);
  if (compiled === undefined) return [];
  const members = await withTypes(() => {
    const { store } = compiled;
    let type = store.strip(compiled.type);
    if (type.kind === 'pointer') type = store.strip(type.target);
    return type.kind === 'struct' || type.kind === 'union' || type.kind === 'class' ? type.members : [];
  });
  return members
    .filter(({ name }) => name !== null && name.startsWith(prefix))
    .slice(0, LIMIT)
    .map(({ name }) => ({ label: name ?? '', type: 'field' as const, length: prefix.length }));
}
