import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { attachSection } from '../attach/document.ts';
import type { CellResult } from './cell.ts';
import { lines, nodeVersions } from './lines.ts';
import { root } from './places.ts';
import { versionText } from './report.ts';

const FILE = join(root, 'docs', 'COMPATIBILITY.md');

/** Writes what ran, when, and with which versions. The section about attach has a run of its own, and stays. */
export function writeDocs(results: readonly CellResult[]): void {
  const attach = attachSection(readFileSync(FILE, 'utf8'));
  const day = new Date().toISOString().slice(0, 10);
  const text = [
    '# Compatibility',
    '',
    '<!-- Written by `npm run test:compat -- --write-docs`. -->',
    '',
    'The packed library, installed into small apps and used the way users do. Every change of the library runs all of',
    `this; the versions below are what really ran on ${day}, read in the running process.`,
    '',
    '## Supported',
    '',
    ...supportTable(),
    '',
    'TypeScript 5.0, the oldest with `verbatimModuleSyntax` and the `bundler` resolution, to 7.0.',
    '',
    '## What ran',
    '',
    'An *outage* cell: `NodeSDK` with traces, delta metrics and logs, each behind a breaker, sends to an OTLP receiver in a',
    'process of its own; it delivers, the receiver is killed, the circuits open, the receiver comes back, they close; the',
    'spans, log records and data points that arrived are those counted as delivered; and a shutdown while open is quick.',
    'A *runtime* cell: a service on Bun, Deno or workerd lives through a backend that refuses connections, hangs and answers',
    '503; with retention, every span arrives; and the process ends at SIGTERM, or without a shutdown, in the last outage.',
    '',
    '| Cell | Versions | Seen |',
    '| --- | --- | --- |',
    ...results.map(
      ({ name, report }) =>
        `| ${name} | ${versionText(withoutLibrary(report?.versions ?? {}))} | ${report?.detail ?? ''} |`,
    ),
    '',
  ].join('\n');
  writeFileSync(FILE, attach === '' ? text : `${text}\n${attach}\n`);
}

/** The cells that the committed page does not show, or the whole table of support where it is another one. */
export function staleInDocs(names: readonly string[]): string[] {
  const text = readFileSync(FILE, 'utf8');
  const missing = names.filter((name) => !text.includes(`| ${name} |`));
  return text.includes(supportTable().join('\n')) ? missing : [...missing, 'the table of support'];
}

function supportTable(): string[] {
  return [
    '| OpenTelemetry SDK | Node |',
    '| --- | --- |',
    ...lines.map(
      ({ name, nodes }) =>
        `| ${name.replace('sdk-', '')} | ${nodes.map((major) => nodeVersions[major]).join(', ')} |`,
    ),
  ];
}

function withoutLibrary({
  library: _,
  ...versions
}: Readonly<Record<string, string>>): Record<string, string> {
  return versions;
}
