/**
 * What is decided at each hit of a breakpoint, inside the machine: conditions, hit counts, log messages, compiled in
 * advance. The guest-debug layer asks, counts, and catches what cannot be decided.
 */
import type { Access, HitFilter } from '../guestdebug/api.ts';
import type { FrameScopes } from '../symbols/index.ts';
import { DebuggerError } from './errors.ts';
import type { CompiledExpression } from './expression/compile.ts';
import { compile } from './expression/compile.ts';
import type { FrameContext } from './expression/scope.ts';
import { formatValue, splitFormat } from './format.ts';
import { liveContext } from './frames.ts';
import { parseHitCondition } from './hit-count.ts';
import type { Module, ModuleSet } from './modules.ts';
import { ModuleScope } from './names.ts';
import type { Target } from './target.ts';
import { withTypes } from './types.ts';

/** What the user asks for beside the place. */
export interface BreakpointOptions {
  readonly condition?: string | undefined;
  readonly hitCondition?: string | undefined;
  readonly logMessage?: string | undefined;
}

export interface LogLine {
  readonly text: string;
  readonly breakpoint: number;
  readonly vcpu: number;
}

export interface FilterHost {
  readonly target: Target;
  readonly modules: ModuleSet;
  /** A log point spoke; called inside the machine. */
  readonly onLog: (line: LogLine) => void;
}

interface LogPiece {
  readonly expression: CompiledExpression;
  readonly hexadecimal: boolean;
}

/**
 * Compiles the filter of breakpoint `id` for one of its addresses, whose names it sees; undefined: of a data breakpoint.
 * Rejects with `DebuggerError` for what cannot be compiled.
 */
export async function compileHitFilter(
  { target, modules, onLog }: FilterHost,
  { condition: conditionText, hitCondition, logMessage }: BreakpointOptions,
  id: number,
  address: bigint | undefined,
): Promise<HitFilter> {
  const module = address === undefined ? undefined : modules.at(address);
  const site = address === undefined || module === undefined ? undefined : await siteOf(module, address);
  const scope = new ModuleScope(
    modules,
    site === undefined || module === undefined || address === undefined
      ? undefined
      : { module, pc: address, scopes: site.scopes },
  );
  const condition = isBlank(conditionText) ? undefined : await compile(conditionText, scope);
  const count = isBlank(hitCondition) ? undefined : parseHitCondition(hitCondition);
  const log = isBlank(logMessage) ? undefined : await compileLog(logMessage, scope);
  const at = { row: site?.row ?? null, frameBase: site?.scopes?.frameBase ?? null, loadBias: module?.bias ?? 0n };
  return ({ vcpu, access, number }) => {
    const context = liveContext(target, vcpu, at);
    if (condition !== undefined && !isTrue(condition, context)) return 'noHit';
    if (count !== undefined && !count(number)) return 'continue';
    if (log === undefined) return 'stop';
    const { symbolize } = modules;
    const text = log.map((piece) => (typeof piece === 'string' ? piece : formatPiece(piece, context, symbolize)));
    onLog({ text: text.join('') + accessText(access), breakpoint: id, vcpu });
    return 'continue';
  };
}

function isTrue(condition: CompiledExpression, context: FrameContext): boolean {
  try {
    return condition.truth(context);
  } catch (error) {
    const reason = error instanceof DebuggerError ? error.message : String(error);
    throw new DebuggerError('notAvailable', `Condition '${condition.text}' cannot be evaluated: ${reason}`);
  }
}

async function compileLog(message: string, scope: ModuleScope): Promise<readonly (string | LogPiece)[]> {
  const log: (string | LogPiece)[] = [];
  for (const piece of splitLogMessage(message)) {
    if (piece.kind === 'text') {
      log.push(piece.text);
      continue;
    }
    const { text, hexadecimal } = splitFormat(piece.text);
    const expression = await compile(text, scope);
    await prefetch(expression);
    log.push({ expression, hexadecimal: hexadecimal ?? false });
  }
  return log;
}

function accessText(access: Access | undefined): string {
  if (access?.old === undefined || access.value === undefined) return '';
  return ` (${access.old} -> ${access.value})`;
}

function formatPiece(
  { expression, hexadecimal }: LogPiece,
  context: FrameContext,
  symbolize: (address: bigint) => string | undefined,
): string {
  try {
    return formatValue(expression.evaluate(context), { hexadecimal, symbolize });
  } catch (error) {
    return `<${error instanceof Error ? error.message.replace(/\.$/, '') : 'not available'}>`;
  }
}

/** Types that formatting inside the machine will need: nothing can be fetched there. */
async function prefetch(expression: CompiledExpression): Promise<void> {
  const { store } = expression;
  const visit = (id: number, depth: number): void => {
    const type = store.strip(id);
    if (depth > 4) return;
    if (type.kind === 'pointer') store.strip(type.target);
    else if (type.kind === 'array') visit(type.element, depth + 1);
    else if (type.kind === 'struct' || type.kind === 'union' || type.kind === 'class') {
      for (const member of type.members) visit(member.type, depth + 1);
    }
  };
  await withTypes(() => visit(expression.type, 0));
}

async function siteOf(
  module: Module,
  address: bigint,
): Promise<{ row: Awaited<ReturnType<Module['file']['unwindRowAt']>>; scopes: FrameScopes | undefined }> {
  const linked = module.link(address);
  const [row, scopes] = await Promise.all([module.file.unwindRowAt(linked), module.file.scopesAt(linked)]);
  return { row, scopes: scopes[0] };
}

function isBlank(text: string | undefined): text is undefined {
  return text === undefined || text.trim() === '';
}

/** `x is {x}, {{literally}}` -> texts and expressions. Throws for a brace without its partner. */
export function splitLogMessage(
  message: string,
): readonly { readonly kind: 'text' | 'expression'; readonly text: string }[] {
  const pieces: { kind: 'text' | 'expression'; text: string }[] = [];
  let text = '';
  for (let i = 0; i < message.length; i++) {
    const two = message.slice(i, i + 2);
    if (two === '{{' || two === '}}') {
      text += two.charAt(0);
      i++;
    } else if (message[i] === '{') {
      const end = message.indexOf('}', i);
      if (end < 0)
        throw new DebuggerError(
          'syntax',
          `The log message has a '{' without '}' at column ${i + 1}; write '{{' for a brace.`,
        );
      if (text !== '') pieces.push({ kind: 'text', text });
      text = '';
      pieces.push({ kind: 'expression', text: message.slice(i + 1, end) });
      i = end;
    } else {
      text += message.charAt(i);
    }
  }
  if (text !== '') pieces.push({ kind: 'text', text });
  return pieces;
}
