/** docs/COLLECTOR.md: the table of the last whole run, and what it means. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Outcome } from './outcome.ts';
import { renderMarkdown } from './table.ts';

const FILE = path.join(import.meta.dirname, '..', '..', 'docs', 'COLLECTOR.md');
/** As .markdownlint-cli2.jsonc has it. */
const WIDTH = 120;

export interface RunFacts {
  /** What ran, each with its version. */
  readonly versions: Readonly<Record<string, string>>;
  readonly millis: number;
  /** Scenarios at a time. */
  readonly atOnce: number;
}

export function writeDocument(outcomes: readonly Outcome[], facts: RunFacts): void {
  const failed = outcomes.filter(({ problems }) => problems.length > 0).length;
  const lines = [
    '# End to end against a real OpenTelemetry Collector',
    '',
    '<!-- Written by `npm run test:collector`: a change here does not last. -->',
    '',
    ...wrap(
      'The clients are processes of their own that use the built package with the real SDK, `BatchSpanProcessor` and OTLP exporters. Every span has a number; what arrived is read, span by span, from what the Collector itself wrote (its `file` exporter), and held against what the exporter says of itself (`snapshot().delivery`): no span that it calls delivered may be missing.',
    ),
    '',
    ...wrap(
      `${outcomes.length - failed} scenarios passed, ${failed} failed, in ${seconds(facts.millis)}, ${facts.atOnce} at a time, on ${new Date().toISOString().slice(0, 10)}.`,
    ),
    '',
    '| what | version |',
    '| --- | --- |',
    ...Object.entries({ ...facts.versions, machine: machine() }).map(
      ([what, version]) => `| ${what} | ${version} |`,
    ),
    '',
    '## How to read the table',
    '',
    ...wrap(
      `"Undelivered goes to" is what the exporter has beside its breaker: nobody, \`retention\`, or a file (\`fallback\`). "Opened after" counts from the start of the fault, "closed after" from its end. The last column but one is what \`renderHealth\` says while the fault lasts: HTTP status, status, the state of the circuit, and the last failure's name and code.`,
    ),
    '',
    ...wrap(
      'Everything is at its default: the OTLP exporters with their time-out of 10 s, the `BatchSpanProcessor` with its queue of 2,048 spans, the breaker; retention is `retention: {}`. Ten spans are made every 50 ms. Without retention the processor waits for each export, and drops what its queue has no room for: that is lost, too.',
    ),
    '',
    '## Table',
    '',
    ...renderMarkdown(outcomes.flatMap(({ rows }) => rows)),
    '',
    '## The scenarios',
    ...outcomes.flatMap(section),
    '',
    '## What follows for an operator',
    '',
    ...FOLLOWS.flatMap((line) => wrap(`- ${line}`, '  ')),
  ];
  fs.writeFileSync(FILE, `${lines.join('\n')}\n`);
}

/** Explained by the rows above. */
const FOLLOWS: readonly string[] = [
  "Over HTTP, every refusal that the OTLP exporter itself retries (429, 502, 503, 504) reaches health as `OTLPExporterError` without a code: the exporter drops status and `Retry-After`. `memory_limiter`, a full queue and a proxy without upstream cannot be told apart there; the Collector's own log does.",
  "The Collector gives no retry hint of its own, neither for `memory_limiter` nor for a full queue (4a, 4b); it passes an upstream's on (4c). The circuit needs none.",
  'Too large is 400 over HTTP (not 413) and RESOURCE_EXHAUSTED (8) over gRPC (6): both are `degraded`, and open no circuit.',
  'Plain HTTP to a TLS port is mostly ECONNRESET or EPIPE and an open circuit, and seldom a 400 and `degraded` (7b).',
  "gRPC reports an unreachable, refusing or misconfigured Collector all as 14 (UNAVAILABLE). The cause tells them apart by the exporter's message: `connection refused`, `host not found`, `TLS failure` and so on. After a long outage gRPC's own connection back-off, up to two minutes, delays the recovery more than the circuit does (2, 4b).",
  'Retention lost nothing but what was refused as invalid (6, 7b), and dropped nothing in the processor. Its price is duplicates after time-outs (3).',
];

function section({ scenario, evidence, problems, millis }: Outcome): string[] {
  return [
    '',
    `### ${scenario.id}: ${scenario.title}`,
    '',
    ...wrap(`${scenario.about} (${seconds(millis)})`),
    ...(evidence.length === 0 ? [] : ['', 'Seen:', '']),
    ...evidence.flatMap((line) => wrap(`- ${line}`, '  ')),
    ...(problems.length === 0 ? [] : ['', 'Wrong:', '']),
    ...problems.flatMap((line) => wrap(`- ${line.split('\n')[0]}`, '  ')),
  ];
}

function wrap(text: string, indent = ''): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = indent + word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

function seconds(millis: number): string {
  return `${(millis / 1_000).toFixed(0)} s`;
}

function machine(): string {
  const cpus = os.cpus();
  const memory = (os.totalmem() / 2 ** 30).toFixed(0);
  return `${os.type()} ${os.release()}, ${cpus.length} × ${cpus[0]?.model.trim()}, ${memory} GiB, load ${os.loadavg()[0]?.toFixed(1)} at the end`;
}
