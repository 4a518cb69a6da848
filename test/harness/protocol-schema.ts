/**
 * The Debug Adapter Protocol as a JSON schema, made from the declarations of @vscode/debugprotocol (no package ships the
 * schema itself), and messages held against it. The protocol's numbers are whole ones of 32 bits unless they are named below.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import ts from 'typescript';

type Schema = Readonly<Record<string, unknown>>;
type Message = Readonly<Record<string, unknown>>;

const INT32 = { type: 'integer', minimum: -(2 ** 31), maximum: 2 ** 31 - 1 };
/** Fields that count bytes or parts: larger, or not whole. */
const otherNumbers: Readonly<Record<string, Schema>> = {
  percentage: { type: 'number', minimum: 0, maximum: 100 },
  offset: { type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
  request_seq: { type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
};

function nameOf(name: ts.EntityName | ts.PropertyName | ts.Expression): string {
  if (ts.isQualifiedName(name)) return name.right.text;
  if (ts.isPropertyAccessExpression(name)) return name.name.text;
  return ts.isIdentifier(name) || ts.isStringLiteral(name) ? name.text : '';
}

function schemaOf(node: ts.TypeNode | undefined): Schema {
  if (node === undefined) return {};
  switch (node.kind) {
    case ts.SyntaxKind.StringKeyword:
      return { type: 'string' };
    case ts.SyntaxKind.NumberKeyword:
      return INT32;
    case ts.SyntaxKind.BooleanKeyword:
      return { type: 'boolean' };
    default:
  }
  if (ts.isArrayTypeNode(node)) return { type: 'array', items: schemaOf(node.elementType) };
  if (ts.isUnionTypeNode(node)) return { anyOf: node.types.map(schemaOf) };
  if (ts.isParenthesizedTypeNode(node)) return schemaOf(node.type);
  if (ts.isTypeLiteralNode(node)) return objectOf(node.members);
  if (ts.isTypeReferenceNode(node)) return { $ref: `#/definitions/${nameOf(node.typeName)}` };
  if (ts.isLiteralTypeNode(node)) {
    if (node.literal.kind === ts.SyntaxKind.NullKeyword) return { type: 'null' };
    return ts.isStringLiteral(node.literal) ? { const: node.literal.text } : {};
  }
  return {};
}

function objectOf(members: ts.NodeArray<ts.TypeElement>): Schema {
  const properties: Record<string, Schema> = {};
  const required: string[] = [];
  let rest: Schema = {};
  for (const member of members) {
    if (ts.isIndexSignatureDeclaration(member)) rest = { additionalProperties: schemaOf(member.type) };
    if (!ts.isPropertySignature(member)) continue;
    const name = nameOf(member.name);
    const isNumber = member.type?.kind === ts.SyntaxKind.NumberKeyword;
    properties[name] = (isNumber ? otherNumbers[name] : undefined) ?? schemaOf(member.type);
    if (member.questionToken === undefined) required.push(name);
  }
  return { type: 'object', properties, required, ...rest };
}

function definitions(): Readonly<Record<string, Schema>> {
  const file = createRequire(import.meta.url).resolve('@vscode/debugprotocol/lib/debugProtocol.d.ts');
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2022);
  const found: Record<string, Schema> = {};
  const visit = (node: ts.Node): void => {
    if (ts.isTypeAliasDeclaration(node)) found[node.name.text] = schemaOf(node.type);
    else if (ts.isInterfaceDeclaration(node)) {
      const bases = (node.heritageClauses ?? []).flatMap(({ types }) =>
        types.map(({ expression }) => nameOf(expression)),
      );
      const all = [...bases.map((base) => ({ $ref: `#/definitions/${base}` })), objectOf(node.members)];
      found[node.name.text] = all.length === 1 ? (all[0] ?? {}) : { allOf: all };
    } else ts.forEachChild(node, visit);
  };
  ts.forEachChild(source, visit);
  return found;
}

const capital = (name: string): string => name.charAt(0).toUpperCase() + name.slice(1);

export class ProtocolSchema {
  private readonly known = definitions();
  private readonly ajv = new Ajv({ allErrors: false, strict: false, allowUnionTypes: true });
  private readonly validators = new Map<string, ValidateFunction>();

  /** What is wrong with a message that an adapter sent, as one line; undefined when nothing is. */
  fault(message: Message): string | undefined {
    const { type, event, command, success } = message;
    const wanted = type === 'event' ? `${capital(String(event))}Event` : `${capital(String(command))}Response`;
    const base = type === 'event' ? 'Event' : type === 'response' ? 'Response' : undefined;
    if (base === undefined) return `a message of type ${String(type)}`;
    // Requests and events of our own have no definition; a refusal has the same one for all.
    const name = success === false || this.known[wanted] === undefined ? base : wanted;
    // What is sent is what JSON makes of it.
    const sent: unknown = JSON.parse(JSON.stringify(message));
    const validate = this.validator(name);
    if (validate(sent)) return undefined;
    const [error] = (validate.errors ?? []) as readonly (ErrorObject | undefined)[];
    return `${name}: ${error?.instancePath ?? ''} ${error?.message ?? ''} in ${JSON.stringify(sent).slice(0, 200)}`;
  }

  private validator(name: string): ValidateFunction {
    const made =
      this.validators.get(name) ??
      this.ajv.compile({ $ref: `#/definitions/${name}`, definitions: this.known, $comment: name });
    this.validators.set(name, made);
    return made;
  }
}
