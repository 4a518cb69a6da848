/** From syntax tree to nodes that know their type and evaluate synchronously. */
import { DebuggerError } from '../errors.ts';
import { registerNamed } from '../registers.ts';
import type { BuiltinName, TypeStore } from '../types.ts';
import type { Scalar, ScalarKind, Value } from '../value.ts';
import {
  addressOf,
  encodeScalar,
  memberOf,
  memoryValue,
  partOf,
  readBytes,
  readScalar,
  retyped,
  rvalue,
  scalarKind,
  toInteger,
} from '../value.ts';
import type { Member, StructType, TypeId } from '../../symbols/index.ts';
import { evaluateVariable, voidType } from '../../symbols/index.ts';
import type { ArithmeticKind } from './arithmetic.ts';
import { commonKind, compare, compute, convert, isTrue, promote } from './arithmetic.ts';
import type { BinaryOperator, Expression, TypeName } from './ast.ts';
import type { NumberLiteral } from './lexer.ts';
import type { FrameContext, NamedEntity } from './scope.ts';

/** An expression with its static type. */
export interface Node {
  readonly store: TypeStore;
  readonly type: TypeId;
  readonly designates: boolean;
  value(context: FrameContext): Value;
  scalar(context: FrameContext): Scalar;
}

const typeError = (message: string): DebuggerError => new DebuggerError('type', message);
const builtinNames: readonly string[] = [
  ...['char', 'signed char', 'unsigned char', 'short', 'unsigned short', 'int', 'unsigned int', 'long'],
  ...['unsigned long', 'long long', 'unsigned long long', '__int128', 'unsigned __int128', '_Bool', 'float', 'double'],
];
const isBuiltinName = (name: string): name is BuiltinName => builtinNames.includes(name);

export class Translator {
  private readonly store: TypeStore;
  private readonly names: ReadonlyMap<string, NamedEntity>;
  private readonly types: ReadonlyMap<string, TypeId>;

  constructor(store: TypeStore, names: ReadonlyMap<string, NamedEntity>, types: ReadonlyMap<string, TypeId>) {
    this.store = store;
    this.names = names;
    this.types = types;
  }

  /** Throws `DebuggerError`, or `MissingType` when a type has to be fetched first. */
  translate(expression: Expression): Node {
    switch (expression.kind) {
      case 'number':
        return this.number(expression.literal);
      case 'character':
        return this.constant('int', expression.value);
      case 'name':
        return this.name(expression.name);
      case 'register':
        return this.register(expression.name);
      case 'unary':
        return this.unary(expression.operator, this.translate(expression.operand));
      case 'binary':
        return this.binary(expression.operator, this.translate(expression.left), this.translate(expression.right));
      case 'conditional':
        return this.conditional(
          this.translate(expression.condition),
          this.translate(expression.then),
          this.translate(expression.otherwise),
        );
      case 'member':
        return this.member(this.translate(expression.object), expression.arrow, expression.name);
      case 'index': {
        const object = this.translate(expression.object);
        requireType(object.store, object.type);
        return this.dereference(this.binary('+', object, this.translate(expression.index)));
      }
      case 'cast':
        return this.cast(this.typeNamed(expression.type), this.translate(expression.operand));
      case 'sizeofType':
        return this.sizeOf(this.store, this.typeNamed(expression.type));
      case 'sizeofValue': {
        const operand = this.translate(expression.operand);
        return this.sizeOf(operand.store, operand.type);
      }
    }
  }

  /** A node that computes a scalar; its value is encoded on demand. */
  private computed(store: TypeStore, type: TypeId, scalar: (context: FrameContext) => Scalar): Node {
    const kind = scalarKind(store, type);
    if (kind === undefined) throw typeError(`'${store.nameOf(type)}' is not a number or pointer.`);
    const value = (context: FrameContext): Value => rvalue(store, type, encodeScalar(kind, scalar(context)), context);
    return { store, type, designates: false, scalar, value };
  }

  /** A node that designates an object. */
  private object(store: TypeStore, type: TypeId, value: (context: FrameContext) => Value): Node {
    return { store, type, designates: true, value, scalar: (context) => scalarOf(value(context)) };
  }

  private constant(name: BuiltinName, value: bigint): Node {
    return this.computed(this.store, this.store.builtin(name), () => value);
  }

  private number(literal: NumberLiteral): Node {
    if (literal.kind === 'float') {
      const type = this.store.builtin(literal.single ? 'float' : 'double');
      return this.computed(this.store, type, () => literal.value);
    }
    // ISO C 6.4.4.1: the first type of the list that can hold the value.
    const { value, decimal, unsigned, longs } = literal;
    const names: BuiltinName[] = [];
    const ranks: readonly BuiltinName[] = ['int', 'long', 'long long', '__int128'];
    ranks.slice(longs).forEach((name) => {
      if (!unsigned) names.push(name);
      const wide: BuiltinName =
        name === '__int128'
          ? 'unsigned __int128'
          : name === 'int'
            ? 'unsigned int'
            : name === 'long'
              ? 'unsigned long'
              : 'unsigned long long';
      if (unsigned || !decimal) names.push(wide);
    });
    const fits = names.find((name) => {
      const kind = scalarKind(this.store, this.store.builtin(name));
      return kind !== undefined && convert(value, kind) === value;
    });
    return this.constant(fits ?? 'unsigned __int128', value);
  }

  private name(name: string): Node {
    const entity = this.names.get(name);
    if (entity === undefined) {
      if (this.types.has(name)) throw typeError(`'${name}' is a type; a value is needed here.`);
      throw new DebuggerError('unknownName', `No symbol '${name}' in the current scope.`);
    }
    const { store, type } = entity;
    switch (entity.kind) {
      case 'constant':
        return this.computed(store, type, () => entity.value);
      case 'object':
        return this.object(store, type, (context) => memoryValue(store, type, entity.address, context));
      case 'variable':
        return this.object(store, type, (context) => {
          const biased = context.withBias(entity.loadBias);
          const location = evaluateVariable(entity.location, biased);
          return { store, type, location, byteOffset: 0, context: biased };
        });
    }
  }

  private register(name: string): Node {
    const register = registerNamed(name);
    if (register === undefined) throw new DebuggerError('unknownName', `There is no register '$${name}'.`);
    const { store } = this;
    const type = store.unsignedOf(register.bits / 8);
    return this.object(store, type, ({ native }) => {
      const location = { kind: 'register', register: register.number } as const;
      const whole = { store, type, location, byteOffset: 0, context: native };
      const isPart = register.bits < 64 && /^(general|flags)$/.test(register.group);
      return isPart ? { ...whole, bits: { offset: register.bitOffset, size: register.bits } } : whole;
    });
  }

  /** Arrays and functions become pointers (ISO C 6.3.2.1). */
  private decay(node: Node): Node {
    const type = node.store.strip(node.type);
    if (type.kind !== 'array' && type.kind !== 'function') return node;
    requireType(node.store, node.type);
    const element = type.kind === 'array' ? node.store.elementOf(node.type) : node.type;
    if (element === undefined) throw typeError(`'${node.store.nameOf(node.type)}' has no elements.`);
    const pointer = node.store.pointerTo(element);
    return this.computed(node.store, pointer, (context) => requireAddress(node.value(context)));
  }

  private kindOf(node: Node, use: string): ScalarKind {
    const kind = scalarKind(node.store, node.type);
    if (kind === undefined) throw typeError(`${use} needs a number or pointer, not '${node.store.nameOf(node.type)}'.`);
    return kind;
  }

  private arithmeticType(kind: ArithmeticKind): TypeId {
    if (kind.kind === 'float') return this.store.builtin(kind.size === 4 ? 'float' : 'double');
    if (kind.size > 8) return this.store.builtin(kind.signed ? '__int128' : 'unsigned __int128');
    if (kind.size === 8) {
      const name = this.store.wordSize === 8 ? 'long' : 'long long';
      return this.store.builtin(kind.signed ? name : `unsigned ${name}`);
    }
    return this.store.builtin(kind.signed ? 'int' : 'unsigned int');
  }

  private unary(operator: '-' | '+' | '!' | '~' | '*' | '&', operand: Node): Node {
    switch (operator) {
      case '*':
        return this.dereference(this.decay(operand));
      case '&': {
        if (!operand.designates)
          throw new DebuggerError('notAddressable', 'Only an object has an address; this is a computed value.');
        const pointer = operand.store.pointerTo(operand.type);
        return this.computed(operand.store, pointer, (context) => requireAddress(operand.value(context)));
      }
      case '!': {
        const decayed = this.decay(operand);
        this.kindOf(decayed, `'!'`);
        const int = this.store.builtin('int');
        return this.computed(this.store, int, (context) => (isTrue(decayed.scalar(context)) ? 0n : 1n));
      }
      default: {
        const kind = this.kindOf(operand, `'${operator}'`);
        if (kind.kind === 'pointer') throw typeError(`'${operator}' does not apply to a pointer.`);
        if (operator === '~' && kind.kind === 'float') throw typeError(`'~' needs an integer.`);
        const result = promote(kind);
        return this.computed(this.store, this.arithmeticType(result), (context) => {
          const scalar = convert(operand.scalar(context), result);
          if (operator === '+') return scalar;
          if (operator === '~') return convert(~toInteger(scalar), result);
          return convert(-scalar, result);
        });
      }
    }
  }

  private dereference(node: Node): Node {
    const { store } = node;
    requireType(store, node.type);
    const type = store.strip(node.type);
    if (type.kind !== 'pointer') {
      const kind = scalarKind(store, node.type);
      // As in gdb: an integer is taken for the address of a machine word, so `*$rsp` works.
      if (kind?.kind === 'integer') {
        const word = store.builtin('unsigned long');
        return this.object(store, word, (context) =>
          memoryValue(store, word, toInteger(node.scalar(context)), context),
        );
      }
      throw typeError(`'${store.nameOf(node.type)}' is not a pointer.`);
    }
    if (store.strip(type.target).kind === 'void') {
      throw typeError(`A 'void *' points to nothing of a type; cast it first, as in '*(unsigned long *)p'.`);
    }
    const { target } = type;
    return this.object(store, target, (context) =>
      memoryValue(store, target, toInteger(node.scalar(context)), context),
    );
  }

  private member(object: Node, arrow: boolean, name: string): Node {
    const { store } = object;
    const outer = store.strip(object.type);
    // Either operator does for either kind of operand: a debugger knows what is meant.
    const isPointer = outer.kind === 'pointer' || (arrow && outer.kind === 'array');
    const base = isPointer ? this.dereference(this.decay(object)) : object;
    requireType(store, base.type);
    const aggregate = store.strip(base.type);
    if (aggregate.kind !== 'struct' && aggregate.kind !== 'union' && aggregate.kind !== 'class') {
      throw typeError(`'${store.nameOf(base.type)}' has no members, so no '${name}'.`);
    }
    const path = findMember(store, aggregate, name, 0);
    if (path === undefined) {
      const why = aggregate.incomplete
        ? ' (it is only declared, its definition is not in the debugging information)'
        : '';
      throw new DebuggerError('unknownName', `'${aggregate.name}' has no member '${name}'${why}.`);
    }
    const last = path[path.length - 1];
    const result = (context: FrameContext): Value =>
      path.reduce((value, member) => memberOf(value, member), base.value(context));
    return { ...this.object(store, last?.type ?? voidType, result), designates: base.designates };
  }

  private conditional(condition: Node, then: Node, otherwise: Node): Node {
    const test = this.decay(condition);
    this.kindOf(test, `'?:'`);
    const a = this.decay(then);
    const b = this.decay(otherwise);
    const left = scalarKind(a.store, a.type);
    const right = scalarKind(b.store, b.type);
    if (left === undefined || right === undefined) {
      if (a.store === b.store && a.type === b.type) {
        const value = (context: FrameContext): Value => (isTrue(test.scalar(context)) ? a : b).value(context);
        return { ...this.object(a.store, a.type, value), designates: false };
      }
      throw typeError(`The two results of '?:' have different types.`);
    }
    const choose = (context: FrameContext): Scalar => (isTrue(test.scalar(context)) ? a : b).scalar(context);
    if (left.kind === 'pointer') return this.computed(a.store, a.type, choose);
    if (right.kind === 'pointer') return this.computed(b.store, b.type, choose);
    const common = commonKind(left, right);
    return this.computed(this.store, this.arithmeticType(common), (context) => convert(choose(context), common));
  }

  private binary(operator: BinaryOperator, leftOperand: Node, rightOperand: Node): Node {
    if (operator === ',') return rightOperand;
    if (operator === '@') return this.artificialArray(leftOperand, rightOperand);
    const left = this.decay(leftOperand);
    const right = this.decay(rightOperand);
    const leftKind = this.kindOf(left, `'${operator}'`);
    const rightKind = this.kindOf(right, `'${operator}'`);
    const int = this.store.builtin('int');
    if (operator === '&&' || operator === '||') {
      return this.computed(this.store, int, (context) => {
        const first = isTrue(left.scalar(context));
        const result =
          operator === '&&' ? first && isTrue(right.scalar(context)) : first || isTrue(right.scalar(context));
        return result ? 1n : 0n;
      });
    }
    if (/^(==|!=|<|>|<=|>=)$/.test(operator)) {
      const common = comparisonKind(leftKind, rightKind);
      return this.computed(this.store, int, (context) => {
        const a = convert(left.scalar(context), common);
        return compare(operator, a, convert(right.scalar(context), common)) ? 1n : 0n;
      });
    }
    if (leftKind.kind === 'pointer' || rightKind.kind === 'pointer') {
      return this.pointerArithmetic(operator, left, leftKind, right, rightKind);
    }
    const shift = operator === '<<' || operator === '>>';
    const result = shift ? promote(leftKind) : commonKind(leftKind, rightKind);
    if (/^(%|<<|>>|&|\^|\|)$/.test(operator) && (leftKind.kind === 'float' || rightKind.kind === 'float')) {
      throw typeError(`'${operator}' needs integers.`);
    }
    return this.computed(this.store, this.arithmeticType(result), (context) => {
      const a = convert(left.scalar(context), result);
      const b = right.scalar(context);
      return compute(operator, a, shift ? b : convert(b, result), result);
    });
  }

  private pointerArithmetic(
    operator: BinaryOperator,
    left: Node,
    leftKind: ScalarKind,
    right: Node,
    rightKind: ScalarKind,
  ): Node {
    const word = { kind: 'pointer', size: left.store.wordSize, target: voidType } as const;
    if (leftKind.kind === 'pointer' && rightKind.kind === 'pointer') {
      if (operator !== '-') throw typeError(`'${operator}' does not apply to two pointers.`);
      const size = BigInt(strideOf(left.store, leftKind.target));
      const result = { kind: 'integer', size: left.store.wordSize, signed: true } as const;
      return this.computed(this.store, this.store.builtin('long'), (context) => {
        const difference = toInteger(left.scalar(context)) - toInteger(right.scalar(context));
        return toInteger(convert(difference, result)) / size;
      });
    }
    const pointer = leftKind.kind === 'pointer' ? left : right;
    const index = leftKind.kind === 'pointer' ? right : left;
    const kind = leftKind.kind === 'pointer' ? leftKind : rightKind;
    const indexKind = leftKind.kind === 'pointer' ? rightKind : leftKind;
    const allowed = operator === '+' || (operator === '-' && leftKind.kind === 'pointer');
    if (kind.kind !== 'pointer' || indexKind.kind !== 'integer' || !allowed) {
      throw typeError(`'${operator}' does not apply to a pointer here.`);
    }
    const stride = BigInt(strideOf(pointer.store, kind.target));
    return this.computed(pointer.store, pointer.type, (context) => {
      const distance = toInteger(index.scalar(context)) * stride;
      const base = toInteger(pointer.scalar(context));
      return convert(operator === '+' ? base + distance : base - distance, word);
    });
  }

  /** gdb's `object@count`: an array that begins at the object. */
  private artificialArray(object: Node, count: Node): Node {
    if (!object.designates)
      throw new DebuggerError('notAddressable', `The left side of '@' must be an object, as in '*pointer@4'.`);
    requireType(object.store, object.type);
    const length = count.scalar(constantContext);
    const elements = Number(toInteger(length));
    if (!(elements >= 1 && elements <= 1_000_000))
      throw typeError(`'@' makes arrays of 1 to 1,000,000 elements, not ${elements}.`);
    const type = object.store.arrayOf(object.type, elements);
    return this.object(object.store, type, (context) => partOf(object.value(context), 0, type));
  }

  private typeNamed(written: TypeName): TypeId {
    let type = this.types.get(written.name);
    if (type === undefined && written.name === 'void') type = voidType;
    if (type === undefined && isBuiltinName(written.name)) type = this.store.builtin(written.name);
    if (type === undefined)
      throw new DebuggerError('unknownName', `No type '${written.name}' in the debugging information.`);
    for (let i = 0; i < written.pointers; i++) type = this.store.pointerTo(type);
    for (const count of [...written.dimensions].reverse()) type = this.store.arrayOf(type, count);
    for (let i = 0; i < written.outerPointers; i++) type = this.store.pointerTo(type);
    return type;
  }

  private cast(type: TypeId, operand: Node): Node {
    const { store } = this;
    const target = store.strip(type);
    if (target.kind === 'void') throw typeError('A cast to void has no value.');
    const kind = scalarKind(store, type);
    if (kind === undefined) {
      // As in gdb: an object may be looked at as another aggregate, at the same place.
      if (!operand.designates) throw typeError(`Only an object can be cast to '${store.nameOf(type)}'.`);
      return this.object(store, type, (context) => ({ ...retyped(operand.value(context), type), store }));
    }
    const source = this.decay(operand);
    this.kindOf(source, 'A cast');
    const isBoolean = target.kind === 'base' && target.encoding === 'boolean';
    return this.computed(store, type, (context) => {
      const scalar = source.scalar(context);
      return isBoolean ? (isTrue(scalar) ? 1n : 0n) : convert(scalar, kind);
    });
  }

  private sizeOf(store: TypeStore, type: TypeId): Node {
    const size = store.sizeOf(type);
    if (size === undefined) throw typeError(`The size of '${store.nameOf(type)}' is not known.`);
    return this.constant('unsigned long', BigInt(size));
  }
}

/** The count of `@` must be known when the expression is compiled. */
const constantContext: FrameContext = {
  register: () => undefined,
  readMemory: () => undefined,
  withBias: () => constantContext,
  get native() {
    return constantContext;
  },
};

function comparisonKind(left: ScalarKind, right: ScalarKind): ScalarKind {
  if (left.kind === 'pointer') return left;
  if (right.kind === 'pointer') return right;
  return commonKind(left, right);
}

/** Refuses what depends on the type of a symbol that has none: an answer would come from bytes of the wrong size. */
function requireType(store: TypeStore, type: TypeId): void {
  if (!store.isUntyped(type)) return;
  throw typeError(
    `The debugging information does not say what type this symbol has: cast its address first, as in '*(unsigned long *)&symbol' or '((unsigned int *)&symbol)[2]'.`,
  );
}

function strideOf(store: TypeStore, target: TypeId): number {
  requireType(store, target);
  const type = store.strip(target);
  // gcc's extension: void and functions count as one byte.
  if (type.kind === 'void' || type.kind === 'function') return 1;
  const size = store.sizeOf(target);
  if (size === undefined || size === 0) throw typeError(`The size of '${store.nameOf(target)}' is not known.`);
  return size;
}

function scalarOf(value: Value): Scalar {
  const type = value.store.strip(value.type);
  if (type.kind === 'array' || type.kind === 'function') return requireAddress(value);
  return readScalar(value);
}

/** The address of an object. Throws with the reason when it has none. */
export function requireAddress(value: Value): bigint {
  const address = addressOf(value);
  if (address !== undefined) return address;
  if (value.bits !== undefined && value.location.kind === 'memory') {
    throw new DebuggerError('notAddressable', 'A bit-field has no address.');
  }
  const contents = readBytes(value, 1);
  throw new DebuggerError(
    'notAddressable',
    contents.kind === 'bytes'
      ? 'Not addressable: it is in a register or was computed by the compiler.'
      : contents.reason,
  );
}

/** The way to a member, through anonymous structs and unions and base classes. */
function findMember(
  store: TypeStore,
  aggregate: StructType,
  name: string,
  depth: number,
): readonly Member[] | undefined {
  if (depth > 32) return undefined;
  for (const member of aggregate.members) if (member.name === name) return [member];
  for (const member of aggregate.members) {
    if (member.name !== null && !member.inherited) continue;
    const inner = store.strip(member.type);
    if (inner.kind !== 'struct' && inner.kind !== 'union' && inner.kind !== 'class') continue;
    const rest = findMember(store, inner, name, depth + 1);
    if (rest !== undefined) return [member, ...rest];
  }
  return undefined;
}
