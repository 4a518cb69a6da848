/** Breakpoints on source lines, functions and instructions; breakpointLocations. Legal while the guest runs. */
import type { BreakpointStatus, BreakpointWish, ResolvedPlace } from '../../debugger/user-breakpoints.ts';
import { toBreakpoint } from '../breakpoint-answers.ts';
import {
  functionPlace,
  instructionPlace,
  linePlace,
  listingPlace,
  replaceGroup,
  sourceLine,
} from '../breakpoint-places.ts';
import { isGlob } from '../glob.ts';
import type { Group, P } from '../protocol.ts';
import type { Session } from '../session.ts';

export function breakpoints(
  session: Session,
): Group<'setBreakpoints' | 'setFunctionBreakpoints' | 'setInstructionBreakpoints' | 'breakpointLocations'> {
  const replace = async (group: string, wishes: readonly BreakpointWish[]): Promise<readonly BreakpointStatus[]> => {
    const statuses = await replaceGroup(session.launched, group, wishes);
    if (session.isLaunched)
      session.dispatcher.event('trapline/machineChanged', { running: session.state === 'running' });
    return statuses;
  };

  return {
    async setBreakpoints(argument) {
      const { path, reference, given } = argument.source;
      const wanted: readonly WantedLine[] = argument.breakpoints ?? (argument.lines ?? []).map((line) => ({ line }));
      const wishes = wanted.map((one): BreakpointWish => ({
        key: `${one.line}:${one.column ?? 0}`,
        ...optionsOf(one),
        logMessage: one.logMessage,
        resolve: () =>
          reference > 0
            ? Promise.resolve(listingPlace(session, reference, one.line))
            : linePlace(session, path, sourceLine(one.line, one.column)),
      }));
      const statuses = await replace(`source:${reference > 0 ? `#${reference}` : (path ?? '')}`, wishes);
      const answers: P.Breakpoint[] = [];
      for (const [index, status] of statuses.entries())
        answers.push(toBreakpoint(session, status, given, wanted[index]?.line));
      return { breakpoints: answers };
    },

    async setFunctionBreakpoints(argument, call) {
      const wishes: BreakpointWish[] = [];
      for (const [index, one] of argument.breakpoints.entries()) {
        await call.breathe(index / argument.breakpoints.length);
        const name = one.name.trim();
        // A pattern may take long, and may be cancelled: all are looked up before anything is changed.
        let found: ResolvedPlace | undefined = isGlob(name) ? await functionPlace(session, name, call) : undefined;
        const resolve = (): Promise<ResolvedPlace> => {
          const first = found;
          found = undefined;
          return first === undefined ? functionPlace(session, name) : Promise.resolve(first);
        };
        wishes.push({ key: one.name, ...optionsOf(one), resolve });
      }
      const statuses = await replace('function', wishes);
      session.breakpointIds.setFunctions(statuses.map(({ id }) => id));
      const answers: P.Breakpoint[] = [];
      for (const status of statuses) {
        const { place } = status;
        const path =
          place.kind === 'code' && place.source !== undefined
            ? await session.launched.paths.local(place.source.file.path)
            : undefined;
        answers.push(toBreakpoint(session, status, path === undefined ? undefined : session.client.source({ path })));
      }
      return { breakpoints: answers };
    },

    async setInstructionBreakpoints(argument) {
      const wishes = argument.breakpoints.map((one): BreakpointWish => ({
        key: `${one.instructionReference.written}+${one.offset ?? 0}`,
        ...optionsOf(one),
        resolve: () => instructionPlace(session, one.instructionReference, one.offset ?? 0),
      }));
      const statuses = await replace('instruction', wishes);
      session.breakpointIds.setInstructions(statuses.map(({ id }) => id));
      return { breakpoints: statuses.map((status) => toBreakpoint(session, status)) };
    },

    async breakpointLocations(argument) {
      const { path } = argument.source;
      if (path === undefined || !session.isLaunched) return { breakpoints: [] };
      const found = new Map<string, P.BreakpointLocation>();
      for (const module of session.debugger.modules.all) {
        for (const file of await session.launched.paths.filesFor(module.file, path)) {
          const end = argument.endLine ?? argument.line;
          for (const { line, column } of await module.file.breakpointLocations(file.id, argument.line, end)) {
            const columns = column > 0 ? { column: session.client.column(column) } : {};
            found.set(`${line}:${column}`, { line: session.client.line(line), ...columns });
          }
        }
      }
      return { breakpoints: [...found.values()] };
    },
  };
}

interface WantedLine {
  readonly line: number;
  readonly column?: number | undefined;
  readonly condition?: string | undefined;
  readonly hitCondition?: string | undefined;
  readonly logMessage?: string | undefined;
}

function optionsOf(one: {
  readonly condition?: string | undefined;
  readonly hitCondition?: string | undefined;
}): Pick<BreakpointWish, 'condition' | 'hitCondition'> {
  return { condition: one.condition, hitCondition: one.hitCondition };
}
