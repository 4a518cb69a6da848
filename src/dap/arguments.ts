/**
 * The shapes of arguments that handlers rely on. What a client sends is checked against this table before a handler
 * sees it; more is checked by the handlers themselves.
 */
import { ProtocolError } from './errors.ts';
import type { Command } from './protocol.ts';

/** A question mark: may be absent. `objects` is a list of objects, `strings` one of strings. */
type Shape = 'string' | 'number' | 'boolean' | 'object' | 'objects' | 'strings';
type Field = Shape | `${Shape}?`;
interface Expected {
  readonly fields?: Readonly<Record<string, Field>>;
  /** Fields of the elements of the list `breakpoints`. */
  readonly elements?: Readonly<Record<string, Field>>;
}

const frame = { frameId: 'number?' } as const;
const page = { start: 'number?', count: 'number?', filter: 'string?', format: 'object?' } as const;
const step: Expected = { fields: { threadId: 'number', singleThread: 'boolean?', granularity: 'string?' } };
const options = { condition: 'string?', hitCondition: 'string?' } as const;
const nothing: Expected = {};

const expectations: Readonly<Record<Command, Expected>> = {
  initialize: nothing,
  launch: nothing,
  configurationDone: nothing,
  disconnect: nothing,
  terminate: nothing,
  restart: nothing,
  cancel: nothing,
  threads: nothing,
  loadedSources: nothing,
  modules: nothing,
  setBreakpoints: {
    fields: { source: 'object', breakpoints: 'objects?' },
    elements: { line: 'number', column: 'number?', logMessage: 'string?', ...options },
  },
  setFunctionBreakpoints: { fields: { breakpoints: 'objects' }, elements: { name: 'string', ...options } },
  setInstructionBreakpoints: {
    fields: { breakpoints: 'objects' },
    elements: { instructionReference: 'string', offset: 'number?', ...options },
  },
  setDataBreakpoints: {
    fields: { breakpoints: 'objects' },
    elements: { dataId: 'string', accessType: 'string?', ...options },
  },
  setExceptionBreakpoints: { fields: { filters: 'strings', filterOptions: 'objects?' } },
  dataBreakpointInfo: {
    fields: { name: 'string', variablesReference: 'number?', bytes: 'number?', asAddress: 'boolean?', ...frame },
  },
  breakpointLocations: { fields: { source: 'object', line: 'number', endLine: 'number?' } },
  exceptionInfo: { fields: { threadId: 'number' } },
  continue: step,
  next: step,
  stepIn: step,
  stepOut: step,
  pause: { fields: { threadId: 'number' } },
  stackTrace: { fields: { threadId: 'number', startFrame: 'number?', levels: 'number?' } },
  scopes: { fields: { frameId: 'number' } },
  variables: { fields: { variablesReference: 'number', ...page } },
  setVariable: { fields: { variablesReference: 'number', name: 'string', value: 'string', format: 'object?' } },
  setExpression: { fields: { expression: 'string', value: 'string', format: 'object?', ...frame } },
  evaluate: { fields: { expression: 'string', context: 'string?', format: 'object?', ...frame } },
  completions: { fields: { text: 'string', column: 'number', ...frame } },
  source: { fields: { sourceReference: 'number?', source: 'object?' } },
  readMemory: { fields: { memoryReference: 'string', offset: 'number?', count: 'number' } },
  writeMemory: { fields: { memoryReference: 'string', offset: 'number?', data: 'string', allowPartial: 'boolean?' } },
  disassemble: {
    fields: { memoryReference: 'string', offset: 'number?', instructionOffset: 'number?', instructionCount: 'number' },
  },
  'trapline/machine': nothing,
  'trapline/debugRegisters': nothing,
  'trapline/ledger': { fields: { from: 'number', count: 'number' } },
  'trapline/place': { fields: { address: 'string' } },
  'trapline/serialInput': { fields: { data: 'string' } },
};

type Fields = Readonly<Record<string, unknown>>;

/** Whether this adapter answers requests of this name. */
export function isCommand(name: string): name is Command {
  return Object.hasOwn(expectations, name);
}

/** Arguments as a handler may rely on them. Throws `ProtocolError` naming the property that is not as the protocol says. */
export function checkArguments(command: Command, given: unknown): unknown {
  const argument = withoutNulls(command, given ?? {}, 0);
  if (!isObject(argument)) throw new ProtocolError('badArguments', `The arguments of '${command}' must be an object.`);
  const { fields, elements } = expectations[command];
  if (fields !== undefined) checkFields(command, '', argument, fields);
  const list = argument['breakpoints'];
  if (elements === undefined || !Array.isArray(list)) return argument;
  list.forEach((element: unknown, index) => {
    if (isObject(element)) checkFields(command, `breakpoints[${index}].`, element, elements);
  });
  return argument;
}

/** No argument of the protocol is nested as deep as this. */
const DEPTH_LIMIT = 64;

/** Some clients write null for what is absent. */
function withoutNulls(command: Command, value: unknown, depth: number): unknown {
  if (depth > DEPTH_LIMIT)
    throw new ProtocolError('badArguments', `The arguments of '${command}' are nested more than ${DEPTH_LIMIT} deep.`);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => withoutNulls(command, one, depth + 1));
  const entries = Object.entries(value).filter(([, one]) => one !== null);
  return Object.fromEntries(entries.map(([name, one]) => [name, withoutNulls(command, one, depth + 1)]));
}

function checkFields(command: string, prefix: string, object: Fields, fields: Readonly<Record<string, Field>>): void {
  for (const [name, field] of Object.entries(fields)) {
    const optional = field.endsWith('?');
    const shape = field.replace('?', '');
    const value = Object.hasOwn(object, name) ? object[name] : undefined;
    if (value === undefined || value === null) {
      if (optional) continue;
      throw new ProtocolError('badArguments', `'${prefix}${name}' is missing in the arguments of '${command}'.`);
    }
    if (!hasShape(value, shape)) {
      const wanted = shape === 'objects' || shape === 'strings' ? `a list of ${shape}` : article(shape);
      throw new ProtocolError('badArguments', `'${prefix}${name}' in the arguments of '${command}' must be ${wanted}.`);
    }
  }
}

function article(shape: string): string {
  return shape === 'object' ? 'an object' : `a ${shape}`;
}

function hasShape(value: unknown, shape: string): boolean {
  switch (shape) {
    case 'object':
      return isObject(value);
    case 'objects':
      return Array.isArray(value) && value.every(isObject);
    case 'strings':
      return Array.isArray(value) && value.every((one) => typeof one === 'string');
    case 'number':
      return typeof value === 'number' && Number.isFinite(value);
    default:
      return typeof value === shape;
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
