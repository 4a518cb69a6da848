/** dataBreakpointInfo and setDataBreakpoints: from a variable, an expression, or an address with a number of bytes. */
import type { BreakpointStatus, BreakpointWish, ResolvedPlace } from '../../debugger/user-breakpoints.ts';
import { hexadecimal } from '../../debugger/bits.ts';
import { DebuggerError } from '../../debugger/errors.ts';
import { withTypes } from '../../debugger/types.ts';
import type { Value } from '../../debugger/value.ts';
import { addressOf, readScalar, toInteger } from '../../debugger/value.ts';
import type { AccessType } from '../../guestdebug/api.ts';
import { breakpointText } from '../../words/refusals.ts';
import { replaceGroup } from '../breakpoint-places.ts';
import { ProtocolError } from '../errors.ts';
import type { Group, P } from '../protocol.ts';
import type { Session } from '../session.ts';
import { parseAddress } from '../shapes.ts';
import { findRow } from '../variable-rows.ts';

/** What a dataId says. It is text for the client and means the same in the next session of the same kernel. */
interface DataId {
  readonly address: bigint;
  readonly bytes: number;
  readonly label: string;
}

const ACCESS_TYPES: readonly P.DataBreakpointAccessType[] = ['read', 'write', 'readWrite'];

export function dataBreakpoints(session: Session): Group<'dataBreakpointInfo' | 'setDataBreakpoints'> {
  return {
    async dataBreakpointInfo(argument) {
      session.life.require('use');
      if (argument.asAddress === true) return atAddress(session, argument.name, argument.bytes, argument.frameId);
      if (argument.variablesReference !== undefined && argument.variablesReference > 0) {
        const reference = session.references.branch(argument.variablesReference);
        const row = await findRow(session, reference, argument.name);
        if (row.kind === 'register' || row.value === undefined) {
          return { dataId: null, description: `Not addressable: '${argument.name}' is not in memory.` };
        }
        return describe(session, row.value, row.evaluateName ?? row.name);
      }
      const view = await session.viewOf(argument.frameId);
      // A bare number is an address, as users type it.
      const address = parseAddress(argument.name);
      if (address !== undefined) return atAddress(session, argument.name, argument.bytes ?? 8);
      const value = await session.debugger.evaluate(argument.name, view, view?.frame.vcpu ?? session.focus);
      return describe(session, value, argument.name, argument.bytes);
    },

    async setDataBreakpoints(argument) {
      const wishes = argument.breakpoints.map((one): BreakpointWish => ({
        key: `${one.dataId} ${one.accessType ?? 'write'}`,
        condition: one.condition,
        hitCondition: one.hitCondition,
        resolve: () => Promise.resolve(place(one.dataId, one.accessType)),
      }));
      const statuses = await replaceGroup(session.launched, 'data', wishes);
      const labels = new Map<number, string>();
      statuses.forEach((status, index) => {
        const label = parseDataId(argument.breakpoints[index]?.dataId ?? '')?.label;
        if (label !== undefined) labels.set(status.id, label);
      });
      session.breakpointIds.setLabels(labels);
      // The user knows breakpoints by what they watch.
      const message = (status: BreakpointStatus): string | undefined =>
        breakpointText(status, (id) => session.breakpointIds.label(id), session.t);
      for (const status of statuses) {
        // The editor shows a refusal only as a grey mark.
        if (status.verified) continue;
        const label = session.breakpointIds.label(status.id) ?? 'an address';
        session.output('important', `Data breakpoint on ${label} was refused: ${message(status) ?? ''}`);
      }
      session.dispatcher.event('trapline/machineChanged', { running: session.state === 'running' });
      return {
        breakpoints: statuses.map((status) => {
          const text = message(status);
          return { id: status.id, verified: status.verified, ...(text === undefined ? {} : { message: text }) };
        }),
      };
    },
  };
}

async function describe(
  session: Session,
  value: Value,
  name: string,
  bytes?: number,
): Promise<P.DataBreakpointInfoResponse['body']> {
  const address = addressOf(value);
  if (address === undefined) {
    const why = value.bits === undefined ? 'it is in a register or was computed by the compiler' : 'it is a bit-field';
    return { dataId: null, description: `Not addressable: ${why}.` };
  }
  const size = bytes ?? (await withTypes(() => value.store.sizeOf(value.type))) ?? 8;
  return body(session, { address, bytes: size, label: name });
}

function body(session: Session, id: DataId): P.DataBreakpointInfoResponse['body'] {
  const count = id.bytes === 1 ? '1 byte' : `${id.bytes} bytes`;
  const at = hexadecimal(id.address);
  const description = id.label === at ? `${at} · ${count}` : `${id.label} · ${count} at ${at}`;
  // A place inside the kernel's own data means the same in the next run; a stack or a heap does not.
  const canPersist = session.debugger.modules.at(id.address) !== undefined;
  return { dataId: dataIdText(id), description, accessTypes: [...ACCESS_TYPES], canPersist };
}

/** `[name, name + bytes)`; VS Code gives a negative count for `start - end`, and 0 for `+ 0`. */
async function atAddress(
  session: Session,
  name: string,
  bytes: number | undefined,
  frameId?: number,
): Promise<P.DataBreakpointInfoResponse['body']> {
  const address = parseAddress(name) ?? (await evaluatedAddress(session, name, frameId));
  const count = Math.abs(bytes ?? 1) || 1;
  if (address + BigInt(count) > 1n << 64n)
    throw new ProtocolError(
      'badArguments',
      `Invalid range: ${count} bytes from ${hexadecimal(address)} on go beyond the end of the address space.`,
    );
  const symbol = await session.debugger.modules.describe(address);
  return body(session, { address, bytes: count, label: symbol ?? hexadecimal(address) });
}

/** The address that an expression has as its value. What is none is an error, not a null id: only that is shown. */
async function evaluatedAddress(session: Session, name: string, frameId: number | undefined): Promise<bigint> {
  const shown = `'${name.slice(0, 60)}'`;
  const view = await session.viewOf(frameId);
  const vcpu = view?.frame.vcpu ?? session.focus;
  try {
    const value = await session.debugger.evaluate(name, view, vcpu);
    const { kind } = await withTypes(() => value.store.strip(value.type));
    const at = addressOf(value);
    // As C has it: the name of an array or a function is its address.
    if (at !== undefined && (kind === 'array' || kind === 'function')) return at;
    if (at !== undefined && kind !== 'pointer')
      throw new DebuggerError('type', `It is an object: write &${name.trim()} for where it is.`);
    return BigInt.asUintN(64, toInteger(await withTypes(() => readScalar(value))));
  } catch (error) {
    if (!(error instanceof DebuggerError)) throw error;
    const how = 'Write hexadecimal such as 0x1000, or an expression such as &name.';
    throw new ProtocolError('badArguments', `${shown} is not an address. ${error.message} ${how}`);
  }
}

function dataIdText({ address, bytes, label }: DataId): string {
  return JSON.stringify({ space: 'linear', address: hexadecimal(address), bytes, label });
}

function parseDataId(text: string): DataId | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null) return undefined;
    const { address, bytes, label } = parsed as Readonly<Record<string, unknown>>;
    const at = typeof address === 'string' ? parseAddress(address) : undefined;
    if (at === undefined || typeof bytes !== 'number' || !Number.isSafeInteger(bytes)) return undefined;
    return { address: at, bytes, label: typeof label === 'string' ? label : hexadecimal(at) };
  } catch {
    return undefined;
  }
}

function place(dataId: string, accessType: string | undefined): ResolvedPlace {
  const id = parseDataId(dataId);
  if (id === undefined)
    return {
      kind: 'nowhere',
      message: 'The dataId of this breakpoint cannot be read: remove the breakpoint and set it again.',
    };
  const access: AccessType = accessType === 'read' || accessType === 'readWrite' ? accessType : 'write';
  return { kind: 'data', linear: id.address, size: id.bytes, access };
}
