/**
 * Expressions in two steps. `compile` waits for the symbol worker: it resolves names and types and checks them for one
 * scope. What it gives is evaluated synchronously, against a stopped frame or inside the running machine, any number of
 * times. `decltype`-like questions need no evaluation at all.
 */
import type { TypeStore } from '../types.ts';
import { withTypes } from '../types.ts';
import type { Scalar, Value } from '../value.ts';
import type { TypeId } from '../../symbols/index.ts';
import type { Token } from './lexer.ts';
import { tokenize } from './lexer.ts';
import { isTrue } from './arithmetic.ts';
import type { Node } from './nodes.ts';
import { Translator } from './nodes.ts';
import { baseTypeWords, canonicalTypeName, parse } from './parser.ts';
import type { FrameContext, NamedEntity, NameScope } from './scope.ts';

/** An expression that is ready to be evaluated. */
export interface CompiledExpression {
  readonly text: string;
  readonly store: TypeStore;
  readonly type: TypeId;
  /** Whether it designates an object, so that it can be assigned to or have its address taken. */
  readonly designates: boolean;
  /** Throws `DebuggerError` when memory or registers that it needs are not there. */
  evaluate(context: FrameContext): Value;
  /** For conditions. Throws like `evaluate`. */
  truth(context: FrameContext): boolean;
  scalar(context: FrameContext): Scalar;
}

/** Resolves and checks an expression for a scope. Rejects with `DebuggerError`. */
export async function compile(text: string, scope: NameScope): Promise<CompiledExpression> {
  const tokens = tokenize(text);
  const names = new Map<string, NamedEntity>();
  const types = new Map<string, TypeId>();
  for (const name of plainNames(tokens)) {
    const entity = await scope.lookup(name);
    if (entity !== undefined) {
      names.set(name, entity);
      continue;
    }
    const type = await scope.typeNamed(name);
    if (type !== undefined) types.set(name, type);
  }
  for (const name of typeNames(tokens)) {
    const type = await scope.typeNamed(name);
    if (type !== undefined) types.set(name, type);
  }
  const tree = parse(tokens, (name) => types.has(name) && !names.has(name));
  const translator = new Translator(scope.store, names, types);
  const node: Node = await withTypes(() => translator.translate(tree));
  await withTypes(() => node.store.strip(node.type));
  return {
    text,
    store: node.store,
    type: node.type,
    designates: node.designates,
    evaluate: (context) => node.value(context),
    scalar: (context) => node.scalar(context),
    truth: (context) => isTrue(node.scalar(context)),
  };
}

/** Names that may be variables, functions, enumerators or typedefs: not those of members, tags and keywords. */
function plainNames(tokens: readonly Token[]): ReadonlySet<string> {
  const names = new Set<string>();
  tokens.forEach((token, index) => {
    if (token.kind !== 'name' || baseTypeWords.has(token.text)) return;
    if (/^(struct|union|enum|class|sizeof|_Alignof)$/.test(token.text)) return;
    const before = tokens[index - 1];
    if (before?.kind === 'operator' && (before.text === '.' || before.text === '->')) return;
    if (before?.kind === 'name' && /^(struct|union|enum|class)$/.test(before.text)) return;
    names.add(token.text);
  });
  return names;
}

/** Tagged types and base types that are written out. */
function typeNames(tokens: readonly Token[]): ReadonlySet<string> {
  const names = new Set<string>();
  tokens.forEach((token, index) => {
    if (token.kind !== 'name') return;
    const next = tokens[index + 1];
    if (/^(struct|union|enum|class)$/.test(token.text) && next?.kind === 'name')
      names.add(`${token.text} ${next.text}`);
    const before = tokens[index - 1];
    if (!baseTypeWords.has(token.text) || (before?.kind === 'name' && baseTypeWords.has(before.text))) return;
    const words: string[] = [];
    for (let i = index; ; i++) {
      const word = tokens[i];
      if (word?.kind !== 'name' || !baseTypeWords.has(word.text)) break;
      if (word.text !== 'const' && word.text !== 'volatile') words.push(word.text);
    }
    if (words.length > 0) names.add(canonicalTypeName(words));
  });
  return names;
}
