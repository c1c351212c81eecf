import { globSync, readFileSync } from 'node:fs';
import ts from 'typescript';
import { ROOT } from './markdown.ts';

/** Every message that the library hands to `onError`, with `<…>` for what varies. */
export function problemLines(): string[] {
  const files = globSync('src/**/*.ts', { cwd: ROOT }).filter((file) => !file.startsWith('src/testing/'));
  const lines = new Set<string>();
  for (const file of files) {
    const text = readFileSync(`${ROOT}/${file}`, 'utf8');
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
    const visit = (node: ts.Node): void => {
      if (ts.isCallExpression(node)) {
        const text = messageOf(node);
        if (text !== undefined) lines.add(prefixOf(file) + text);
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return [...lines].sort();
}

/** What stands before all messages of a file: breaker, exporter and HTTP handlers say who they are in one place. */
function prefixOf(file: string): string {
  if (file.startsWith('src/breaker/')) return 'circuit <name>: ';
  if (file.startsWith('src/exporter/')) return 'exporter <name>: ';
  return file === 'src/adapters/http.ts' ? 'otel-circuit-breaker: ' : '';
}

/** The message of `reportProblem(onError, message, error)`, or of a `report(message, error)` that leads there. */
function messageOf(call: ts.CallExpression): string | undefined {
  const callee = call.expression.getText().split('.').at(-1);
  if (callee === 'reportProblem') return textOf(call.arguments[1]);
  return callee === 'report' || callee === '#report' ? textOf(call.arguments[0]) : undefined;
}

/** A literal, or a template that says something besides what varies. */
function textOf(node: ts.Expression | undefined): string | undefined {
  if (node === undefined) return undefined;
  if (ts.isStringLiteral(node) || ts.isNoSubstitutionTemplateLiteral(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return undefined;
  const spans = node.templateSpans.map(({ expression, literal }) => `<${nameOf(expression)}>${literal.text}`);
  const text = `${node.head.text}${spans.join('')}`;
  // `circuit <name>: <message>` and the like pass on what is found where it is written.
  return text.endsWith('<message>') ? undefined : text;
}

function nameOf(expression: ts.Expression): string {
  return ts.isIdentifier(expression) ? expression.text : '…';
}
