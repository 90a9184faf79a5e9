import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import ts from 'typescript';

const PACKAGE = 'node_modules/kubernetes-models';
const APIMACHINERY = 'node_modules/@kubernetes-models/apimachinery';

/** A type of the Kubernetes API: the type of each of its fields, as far as it has fields of its own. */
interface ApiType {
  readonly file: string;
  readonly fields: ReadonlyMap<string, ts.TypeNode>;
  /** By the local name of an imported type: where it is. */
  readonly imports: ReadonlyMap<string, string>;
}

const read = new Map<string, ApiType>();

/**
 * What the API server would refuse in strict mode and the validators of kubernetes-models let pass: fields that the type does not have. Their
 * declarations are read instead, and each field of the object is looked for there. Returns the paths of the unknown ones.
 */
export function unknownFields(object: { readonly apiVersion: string; readonly kind: string }): string[] {
  const [group, version] = object.apiVersion.includes('/') ? object.apiVersion.split('/') : ['', object.apiVersion];
  return unknownIn(typeIn(join(PACKAGE, group!, version!, `${object.kind}.d.ts`)), object, object.kind);
}

function unknownIn(type: ApiType, value: object, path: string): string[] {
  return Object.entries(value).flatMap(([name, inner]) => {
    const declared = type.fields.get(name);
    const at = `${path}.${name}`;
    return declared === undefined ? [at] : unknownOf(type, declared, inner, at);
  });
}

function unknownOf(type: ApiType, declared: ts.TypeNode, value: unknown, path: string): string[] {
  const element = elementTypeOf(declared);
  if (element !== undefined) {
    if (!Array.isArray(value)) return [`${path} (no list)`];
    return value.flatMap((item, i) => unknownOf(type, element, item, `${path}[${i}]`));
  }
  if (ts.isParenthesizedTypeNode(declared)) return unknownOf(type, declared.type, value, path);
  if (typeof value !== 'object' || value === null || !ts.isTypeReferenceNode(declared)) return [];
  const from = type.imports.get(declared.typeName.getText());
  return from === undefined ? [] : unknownIn(typeIn(from), value, path);
}

function elementTypeOf(declared: ts.TypeNode): ts.TypeNode | undefined {
  if (ts.isArrayTypeNode(declared)) return declared.elementType;
  if (ts.isTypeReferenceNode(declared) && declared.typeName.getText() === 'Array') return declared.typeArguments?.[0];
  return undefined;
}

function typeIn(file: string): ApiType {
  const known = read.get(file);
  if (known !== undefined) return known;
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const fields = new Map<string, ts.TypeNode>();
  const imports = new Map<string, string>();
  for (const statement of source.statements) {
    if (ts.isImportDeclaration(statement)) {
      const specifier = (statement.moduleSpecifier as ts.StringLiteral).text;
      const target = targetOf(file, specifier);
      const bindings = statement.importClause?.namedBindings;
      if (target !== undefined && bindings !== undefined && ts.isNamedImports(bindings)) {
        for (const { name } of bindings.elements) imports.set(name.text, target);
      }
    } else if (ts.isInterfaceDeclaration(statement)) {
      for (const member of statement.members) {
        if (ts.isPropertySignature(member) && member.type && ts.isStringLiteral(member.name)) {
          fields.set(member.name.text, member.type);
        }
      }
    }
  }
  const type = { file, fields, imports };
  read.set(file, type);
  return type;
}

function targetOf(file: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return `${join(dirname(file), specifier)}.d.ts`;
  const machinery = '@kubernetes-models/apimachinery/';
  if (specifier.startsWith(machinery)) return `${join(APIMACHINERY, specifier.slice(machinery.length))}.d.ts`;
  return undefined;
}
