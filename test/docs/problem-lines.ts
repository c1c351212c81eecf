import { globSync, readFileSync } from 'node:fs';
import ts from 'typescript';
import { ROOT } from './markdown.ts';

/** Every message that the library hands to `onError`, with `<…>` for what varies. */
export function problemLines(): string[] {
  // What `/attach` says is explained where that is.
  const files = globSync('src/**/*.ts', { cwd: ROOT }).filter(
    (file) => !/^src\/(testing|attach)\//.test(file),
  );
  const lines = new Set<string>();
  for (const file of files) {
    const text = readFileSync(`${ROOT}/${file}`, 'utf8');
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
    const visit = (node: ts.Node): void => {
      if (ts.isCallExpression(node)) {
        const text = messageOf(node);
        if (text !== undefined) lines.add(text.startsWith('<who>') ? text : prefixOf(file, node) + text);
      }
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return [...lines].sort();
}

/** The begin of all messages of a file: breaker, exporter and HTTP handlers say who they are in one place. */
function prefixOf(file: string, call: ts.CallExpression): string {
  if (file.startsWith('src/breaker/')) return 'circuit <name>: ';
  if (/^src\/(exporter|delivery)\//.test(file)) return 'exporter <name>: ';
  return file === 'src/adapters/http.ts' && !isTellDiag(call) ? 'otel-circuit-breaker: ' : '';
}

function isTellDiag({ expression }: ts.CallExpression): boolean {
  return expression.getText() === 'tellDiag';
}

/** The message of `reportProblem(onError, message, error)`, of a call that leads there, or of `tellDiag('error', …)`. */
function messageOf(call: ts.CallExpression): string | undefined {
  const callee = call.expression.getText().split('.').at(-1) ?? '';
  if (callee === 'reportProblem') return textOf(call.arguments[1]);
  if (isTellDiag(call))
    return call.arguments[0]?.getText() === "'error'" ? textOf(call.arguments[1]) : undefined;
  return ['report', '#report', 'onError', 'tell'].includes(callee) ? textOf(call.arguments[0]) : undefined;
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
