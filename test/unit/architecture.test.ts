import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('../../src', import.meta.url));

/** An import or re-export. */
interface Edge {
  /** Relative to `src`: `breaker/clock.ts`. */
  readonly from: string;
  /** Relative to `src`, or the name of a package. */
  readonly to: string;
  /** Whether it is gone when the types are. */
  readonly typeOnly: boolean;
}

const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .map((path) => path.split('\\').join('/'))
  .filter((path) => path.endsWith('.ts'));
const sources = new Map(
  files.map((file) => {
    const text = readFileSync(`${SRC}/${file}`, 'utf8');
    return [file, ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)] as const;
  }),
);
const edges = [...sources].flatMap(([file, source]) => edgesOf(file, source));

/** What each layer may import besides itself. */
const LAYERS: Record<string, readonly string[]> = {
  internal: [],
  breaker: ['internal'],
  delivery: ['breaker', 'internal', '@opentelemetry/api'],
  exporter: ['delivery', 'breaker', 'internal', '@opentelemetry/api'],
};
const MAIN = Object.keys(LAYERS);
/** Entries that need Node, and what they may import besides it and themselves. */
const NODE_ONLY: Record<string, readonly string[]> = {
  disk: ['delivery', 'breaker', 'internal', '@opentelemetry/api'],
  attach: ['disk', 'adapters', ...MAIN, '@opentelemetry/api'],
};
const TOP = ['index.ts', 'adapters', 'testing', ...Object.keys(NODE_ONLY)];
/** What an adapter knows of breakers and exporters: their snapshots, and the internals that are made for adapters. */
const SEEN_BY_ADAPTERS = ['breaker/snapshot.ts', 'delivery/delivery-snapshot.ts'];
const MADE_FOR_ADAPTERS = [
  'breaker/breaker-internals.ts',
  'breaker/last-result.ts',
  'delivery/exporter-internals.ts',
];
/** Options from the environment are made of policies; a registry holds exporters. */
const ADAPTERS_OWN: Record<string, readonly string[]> = {
  'adapters/env.ts': ['breaker/probe-policies.ts', 'breaker/trip-policies.ts', 'delivery/batch-store.ts'],
  'adapters/env-options.ts': [
    'breaker/probe-policies.ts',
    'breaker/trip-policies.ts',
    'delivery/batch-store.ts',
  ],
  'adapters/registry.ts': ['exporter/circuit-breaker-exporter.ts'],
};

describe('imports in src', () => {
  it('are found', () => {
    expect(edges).toContainEqual({
      from: 'index.ts',
      to: 'breaker/circuit-breaker.ts',
      typeOnly: false,
    });
    expect(edges).toContainEqual({ from: 'index.ts', to: 'breaker/snapshot.ts', typeOnly: true });
    expect(edges.filter(({ to }) => to.endsWith('.ts') && !sources.has(to))).toEqual([]);
  });

  it.for(MAIN)('run downwards only: %s knows nothing above it', (layer) => {
    const allowed = [layer, ...(LAYERS[layer] ?? [])];
    const strays = edges.filter(({ from, to }) => layerOf(from) === layer && !allowed.includes(layerOf(to)));
    expect(strays).toEqual([]);
  });

  it('of the adapters are types of snapshots, what is made for adapters, small things, the API', () => {
    const strays = edges.filter(({ from, to, typeOnly }) => {
      if (layerOf(from) !== 'adapters') return false;
      if (['adapters', 'internal', '@opentelemetry/api'].includes(layerOf(to))) return false;
      if (typeOnly && SEEN_BY_ADAPTERS.includes(to)) return false;
      return !MADE_FOR_ADAPTERS.includes(to) && !ADAPTERS_OWN[from]?.includes(to);
    });
    expect(strays).toEqual([]);
  });

  it('of the health renderer are never of OpenTelemetry', () => {
    expect(packagesOf('adapters/health.ts', 'values')).toEqual([]);
  });

  it('are never of what stands on top: the main entry, the adapters, the testing kit', () => {
    const strays = edges.filter(({ from, to }) => TOP.includes(layerOf(to)) && !TOP.includes(layerOf(from)));
    expect(strays).toEqual([]);
  });

  it.for(Object.keys(NODE_ONLY))('of what needs Node stay in %s', (layer) => {
    const allowed = [layer, ...(NODE_ONLY[layer] ?? [])];
    const strays = edges.filter(
      ({ from, to }) => layerOf(from) === layer && !allowed.includes(layerOf(to)) && !isBuiltin(to),
    );
    expect(strays).toEqual([]);
    const users = edges.filter(({ from, to }) => layerOf(to) === layer && layerOf(from) !== layer);
    expect(users.filter(({ from }) => !NODE_ONLY[layerOf(from)]?.includes(layer))).toEqual([]);
  });

  it('name no package but @opentelemetry/api, at run time and in types, but for Node where it is needed', () => {
    const packages = edges.filter(({ to }) => !to.endsWith('.ts'));
    const strays = packages.filter(({ from, to, typeOnly }) => {
      if (to === '@opentelemetry/api' || layerOf(from) === 'testing') return false;
      if (layerOf(from) in NODE_ONLY) return !isBuiltin(to);
      return !(typeOnly && from === 'adapters/http.ts' && to === 'node:http');
    });
    expect(strays).toEqual([]);
  });
});

describe('what is reachable from src/index.ts', () => {
  it('is no Node built-in, not even as a type', () => {
    const reached = packagesOf('index.ts', 'types too');
    expect(reached).toEqual(['@opentelemetry/api']);
    expect(reached.filter(isBuiltin)).toEqual([]);
  });

  it('is no Node built-in at run time, from any other entry either', () => {
    const entries = files.filter((file) => /^(adapters\/[^/]+|testing\/index)\.ts$/.test(file));
    expect(entries.length).toBeGreaterThan(6);
    for (const entry of entries) expect(packagesOf(entry, 'values').filter(isBuiltin), entry).toEqual([]);
  });
});

// Stryker plants names of its own.
describe.skipIf(process.env['STRYKER_MUTATOR_WORKER'] !== undefined)('below the entries', () => {
  it('no timer, no clock, no randomness and no other global is used, but in the defaults of what is injected', () => {
    const used = [...sources]
      .filter(([file]) => file === 'index.ts' || MAIN.includes(layerOf(file)))
      .map(([file, source]) => [file, globalsOf(source)] as const)
      .filter(([, globals]) => globals.length > 0);

    expect(Object.fromEntries(used)).toEqual({
      'breaker/clock.ts': ['Date.now', 'clearTimeout', 'globalThis', 'performance', 'setTimeout'],
      'breaker/circuit-breaker-options.ts': ['Math.random', 'console'],
      'internal/unique-id.ts': ['Math.random'],
      // The one place that reaches for the platform's AsyncLocalStorage and the registered API.
      'delivery/suppress-tracing.ts': ['globalThis'],
    });
  });
});

describe('the search for globals', () => {
  it.for([
    ['const a = () => { setTimeout(f, 1); }', ['f', 'setTimeout']],
    ['export const a = { now: Date.now }', ['Date.now']],
    ['export const a = { now: () => new Date() }', ['Date']],
    ['export const a = new Date(0).toISOString()', []],
    ['const { random } = Math; export const a = random()', ['Math']],
    ['export const a = Math.max(1, Math.random())', ['Math.random']],
    ['type Timer = ReturnType<typeof setTimeout>; export let a: Timer', []],
    ['export class A { console = 1; process() { return this.console } }', []],
    ['export const a = globalThis.process?.env', ['globalThis']],
    ['export function f(console: number, { fetch }: B, [x]: C) { return console + fetch + x }', []],
  ] as const)('%s', ([text, expected]) => {
    expect(globalsOf(ts.createSourceFile('a.ts', text, ts.ScriptTarget.Latest, true))).toEqual(expected);
  });
});

function edgesOf(from: string, source: ts.SourceFile): Edge[] {
  return source.statements.flatMap((statement) => {
    if (!ts.isImportDeclaration(statement) && !ts.isExportDeclaration(statement)) return [];
    const specifier = statement.moduleSpecifier;
    if (specifier === undefined || !ts.isStringLiteral(specifier)) return [];
    const name = specifier.text;
    const to = name.startsWith('.') ? posix.join(posix.dirname(from), name) : name;
    return [{ from, to, typeOnly: isTypeOnly(statement) }];
  });
}

function isTypeOnly(statement: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  const clause = ts.isImportDeclaration(statement) ? statement.importClause : statement;
  if (clause === undefined) return false;
  if (ts.isExportDeclaration(clause)) {
    return clause.isTypeOnly || everyIsType(clause.exportClause);
  }
  return (
    clause.phaseModifier === ts.SyntaxKind.TypeKeyword ||
    (clause.name === undefined && everyIsType(clause.namedBindings))
  );
}

function everyIsType(names: ts.NamedExportBindings | ts.NamedImportBindings | undefined): boolean {
  if (names === undefined || !('elements' in names)) return false;
  const elements: readonly (ts.ExportSpecifier | ts.ImportSpecifier)[] = [...names.elements];
  return elements.length > 0 && elements.every(({ isTypeOnly }) => isTypeOnly);
}

function layerOf(path: string): string {
  if (!path.endsWith('.ts')) return path;
  return path.includes('/') ? (path.split('/', 1)[0] ?? '') : 'index.ts';
}

function reachableFrom(entry: string, which: 'values' | 'types too'): Set<string> {
  const reached = new Set([entry]);
  // A set that is walked through takes in what is added on the way.
  for (const file of reached) {
    for (const { from, to, typeOnly } of edges) {
      if (from === file && (which === 'types too' || !typeOnly)) reached.add(to);
    }
  }
  return reached;
}

function packagesOf(entry: string, which: 'values' | 'types too'): string[] {
  return [...reachableFrom(entry, which)].filter((path) => !path.endsWith('.ts'));
}

function isBuiltin(name: string): boolean {
  return name.startsWith('node:') || builtinModules.includes(name);
}

/** The part of ECMAScript that neither knows the time, nor chance, nor the outside. */
const PURE = new Set(
  `undefined Infinity NaN Array Boolean Error JSON Map Number Object Promise RangeError Reflect RegExp Set String Symbol TypeError
  WeakMap WeakSet BigInt isNaN isFinite Float64Array Uint8Array ArrayBuffer`.split(/\s+/),
);

/** The free names of a file, by value: those that it neither declares nor imports, and that are not {@link PURE}. */
function globalsOf(source: ts.SourceFile): string[] {
  const declared = new Set<string>();
  const used = new Set<string>();
  const declare = (node: ts.Node): void => {
    const { name } = node as ts.Node & { name?: ts.Node };
    if (name !== undefined && ts.isIdentifier(name) && !ts.isPropertyAccessExpression(node)) {
      const member = ts.isClassElement(node) || ts.isObjectLiteralElementLike(node);
      if (!member) declared.add(name.text);
    }
    ts.forEachChild(node, declare);
  };
  const use = (node: ts.Node): void => {
    if (ts.isTypeNode(node) && !ts.isExpressionWithTypeArguments(node)) return;
    if (ts.isTypeAliasDeclaration(node) || ts.isInterfaceDeclaration(node)) return;
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return;
    if (ts.isIdentifier(node) && isRead(node)) used.add(globalName(node));
    ts.forEachChild(node, use);
  };
  declare(source);
  use(source);
  return [...used].filter((name) => name !== '' && !declared.has(name) && !PURE.has(name)).sort();
}

/** Whether an identifier stands for a value that it reads, and is no name of a member or a declaration. */
function isRead(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isShorthandPropertyAssignment(parent)) return true;
  if (ts.isBindingElement(parent)) return parent.initializer === node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  return (parent as ts.Node & { name?: ts.Node }).name !== node;
}

/** `Math.random` and `Date.now` by their whole names; the rest of `Math`, and a `Date` of a given time, are pure. */
function globalName(node: ts.Identifier): string {
  const { parent, text } = node;
  if (text === 'Date' && ts.isNewExpression(parent)) return parent.arguments?.length ? '' : text;
  if (!ts.isPropertyAccessExpression(parent)) return text;
  if (text === 'Math') return parent.name.text === 'random' ? 'Math.random' : '';
  return text === 'Date' ? `Date.${parent.name.text}` : text;
}
