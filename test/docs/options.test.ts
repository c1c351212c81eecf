import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { lines } from '../compat/lines.ts';
import { programOf } from './compiler.ts';
import { tableBetween, tableUnder } from './markdown.ts';

const FILES = {
  exporter: 'src/exporter/circuit-breaker-exporter-options.ts',
  breaker: 'src/breaker/circuit-breaker-options.ts',
  retention: 'src/delivery/retention-options.ts',
  handler: 'src/adapters/http.ts',
};

const program = programOf({}, Object.values(FILES));

function sourceOf(file: string): ts.SourceFile {
  const source = program.getSourceFiles().find(({ fileName }) => fileName.endsWith(`/${file}`));
  if (source === undefined) throw new Error(`no ${file}`);
  return source;
}

/** The properties of an interface, what it inherits included, with their `@defaultValue`. */
function documented(file: string, name: string): Map<string, string> {
  const checker = program.getTypeChecker();
  const declared = sourceOf(file).statements.find(
    (each): each is ts.InterfaceDeclaration => ts.isInterfaceDeclaration(each) && each.name.text === name,
  );
  if (declared === undefined) throw new Error(`no ${name} in ${file}`);
  return new Map(
    checker
      .getTypeAtLocation(declared)
      .getProperties()
      .map((property) => {
        const tag = property.getJsDocTags(checker).find((each) => each.name === 'defaultValue');
        return [property.name, ts.displayPartsToString(tag?.text).replaceAll(/\s+/g, ' ')];
      }),
  );
}

/** What the checks of a source fill in: the second argument of `key: optional(check, default)`. */
function filledIn(file: string): Map<string, string> {
  const found = new Map<string, string>();
  const visit = (node: ts.Node): void => {
    if (
      ts.isPropertyAssignment(node) &&
      ts.isCallExpression(node.initializer) &&
      node.initializer.expression.getText() === 'optional'
    ) {
      found.set(node.name.getText(), node.initializer.arguments[1]?.getText() ?? '');
    }
    ts.forEachChild(node, visit);
  };
  visit(sourceOf(file));
  return found;
}

/** Where there is no store. */
const MAXIMA = {
  maxItems: 'none: `maxBytes` is the bound',
  maxBytes: '64 MiB; none with a `store`',
} as const;

/** How the documentation writes what a check fills in. */
function asDocumented(key: string, code: string): string {
  if (key === 'store') return 'in memory';
  if (code === 'undefined' && (key === 'maxItems' || key === 'maxBytes')) return MAXIMA[key];
  if (code === 'undefined' || code === 'Number.POSITIVE_INFINITY') return 'none';
  if (code === 'consecutiveFailures()') return 'consecutiveFailures(3)';
  if (code.startsWith('(message, error) => console.error'))
    return 'console.error; for an exporter: diag.error';
  return code;
}

/** The first two columns of a table of the reference, without backticks. */
function inReference(name: string): Map<string, string> {
  const plain = (cell = '') => cell.replaceAll('`', '');
  const rows = tableBetween('docs/reference/options.md', name);
  return new Map(rows.map(([option, standard]) => [plain(option), plain(standard)]));
}

describe('defaults in the comments of the source', () => {
  it.each([
    [FILES.breaker, 'CircuitBreakerOptions'],
    [FILES.retention, 'RetentionOptions'],
    [FILES.exporter, 'CircuitBreakerExporterOptions'],
  ])('are those in the code of %s', (file, name) => {
    const comments = documented(file, name);
    // The exporter hands its breaker's options on: their defaults are the breaker's.
    const inherited = new Set(['name', 'onError']);
    for (const [key, code] of filledIn(file)) {
      if (file === FILES.exporter && inherited.has(key)) continue;
      expect([key, comments.get(key)]).toEqual([key, asDocumented(key, code)]);
    }
  });
});

describe('the reference of options', () => {
  it.each([
    ['exporter-options', FILES.exporter, 'CircuitBreakerExporterOptions'],
    ['retention-options', FILES.retention, 'RetentionOptions'],
    ['handler-options', FILES.handler, 'TelemetryHandlerOptions'],
  ])('has every option, and its default: %s', (table, file, name) => {
    const shown = inReference(table);
    const source = documented(file, name);
    expect([...shown.keys()].sort()).toEqual([...source.keys()].sort());
    for (const [option, standard] of source)
      expect([option, standard]).toEqual([option, fits(shown, option, standard)]);
  });

  it('names every option of a breaker by itself', () => {
    const shown = [...inReference('breaker-options').keys()].join(', ').split(', ');
    expect(shown.sort()).toEqual([...documented(FILES.breaker, 'CircuitBreakerOptions').keys()].sort());
  });
});

describe("README's support table", () => {
  it('has the lines and the Nodes of the matrix', () => {
    const plain = tableUnder('README.md', '| OpenTelemetry SDK |').map(([sdk = '', nodes = '']) => [
      `sdk-${sdk.split(' ')[0]}`,
      nodes.split(', ').map(Number),
    ]);
    expect(plain).toEqual(lines.map(({ name, nodes }) => [name, nodes]));
  });
});

/** The default in the source, if the table says the same or less: `diag.error` for what it is of an exporter. */
function fits(shown: Map<string, string>, option: string, standard: string): string {
  const cell = shown.get(option) ?? '';
  // Another clause of the default is in the column beside it.
  const [first = ''] = standard.split(/[;:]/);
  return cell !== '' && (first === cell || standard.endsWith(cell)) ? standard : cell;
}
