import { readFileSync } from 'node:fs';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { lines } from '../compat/lines.ts';
import { programOf } from './compiler.ts';
import { ROOT, tableBetween, tableUnder } from './markdown.ts';

const FILES = {
  exporter: 'src/exporter/circuit-breaker-exporter-options.ts',
  breaker: 'src/breaker/circuit-breaker-options.ts',
  retention: 'src/delivery/retention-options.ts',
  handler: 'src/adapters/http.ts',
  env: 'src/adapters/env.ts',
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
        return [property.name, ts.displayPartsToString(tag?.text)];
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

/** How the documentation writes what a check fills in. */
function asDocumented(key: string, code: string): string {
  if (code === 'undefined' || code === 'Number.POSITIVE_INFINITY')
    return key === 'breaker' ? 'one of its own' : 'none';
  if (code === 'consecutiveFailures()') return 'consecutiveFailures(3)';
  if (code.startsWith('(message, error) => console.error'))
    return 'console.error; of an exporter: diag.error';
  return code;
}

function inReadme(rows: string[][]): Map<string, string> {
  const plain = (cell = '') => cell.replaceAll('`', '');
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

describe("README's option tables", () => {
  it('has every option of the exporter, and its default', () => {
    compare(
      inReadme(tableBetween('README.md', 'options')),
      documented(FILES.exporter, 'CircuitBreakerExporterOptions'),
    );
  });

  it('has every option of the retention, and its default', () => {
    compare(
      inReadme(tableUnder('README.md', '| `retention` option |')),
      documented(FILES.retention, 'RetentionOptions'),
    );
  });

  it('has every option of the handlers, and its default', () => {
    compare(
      inReadme(tableBetween('README.md', 'handler-options')),
      documented(FILES.handler, 'TelemetryHandlerOptions'),
    );
  });

  it('names every option of a breaker by itself', () => {
    const text = readFileSync(`${ROOT}/README.md`, 'utf8');
    const names = [...documented(FILES.breaker, 'CircuitBreakerOptions').keys()];
    expect(names.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
  });

  it('has every environment variable that is read', () => {
    const rows = tableUnder('README.md', '| variable | default |').flat().join(' ');
    const read = [...sourceOf(FILES.env).text.matchAll(/'((?:APP_)?OTEL_[A-Z_]+)'/g)].map(
      (match) => match[1] as string,
    );
    expect(new Set(read).size).toBeGreaterThan(8);
    expect(read.filter((variable) => !rows.includes(variable))).toEqual([]);
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

/** The table may say less: `its own` for `one of its own`, `diag.error` for what it is of an exporter. */
function compare(table: Map<string, string>, source: Map<string, string>): void {
  expect([...table.keys()].sort()).toEqual([...source.keys()].sort());
  for (const [option, standard] of source) {
    const shown = table.get(option) ?? '';
    expect({ option, shown, agrees: shown !== '' && standard.endsWith(shown), standard }).toMatchObject({
      agrees: true,
    });
  }
}
