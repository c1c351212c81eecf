/**
 * The library end to end against a real OpenTelemetry Collector.
 *
 *     node test/collector/run.ts [--only <id>,<id>] [--at-once 6]
 *
 * Prints a table and `N passed, N failed`, and writes docs/COLLECTOR.md when all scenarios ran. Without a Collector and
 * without Go to build one: one line, skipped; where `CI` is set that is a failure.
 */
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { makeApps, packageVersion } from './apps.ts';
import { writeDocument } from './document.ts';
import { findCollector } from './find-collector.ts';
import { findNginx, nginxVersion } from './find-nginx.ts';
import type { Outcome } from './outcome.ts';
import { runScenario } from './outcome.ts';
import { scenarios } from './scenarios/all.ts';
import { renderTable } from './table.ts';
import { temporaryFolder } from './temporary-folder.ts';

const { values: options } = parseArgs({
  options: { only: { type: 'string', default: '' }, 'at-once': { type: 'string', default: '6' } },
});
const say = (line: string): void => console.log(line);
const beganAt = Date.now();

const collector = await findCollector(say);
if (collector.path === undefined) {
  say(`test:collector skipped: ${collector.reason}`);
  process.exit(process.env['CI'] ? 1 : 0);
}
const { path: binary, version, source } = collector;
const folder = temporaryFolder();
const nginx = await findNginx(say);
const apps = await makeApps(folder, say);
say(`OpenTelemetry Collector ${version} (${source}), ready after ${seconds(beganAt)} s`);

const ids = options.only.split(',').filter((id) => id !== '');
const chosen = scenarios.filter(({ id, needsNginx = false }) => {
  if (needsNginx && nginx === undefined && !process.env['CI']) {
    say(`${id} skipped: no nginx`);
    return false;
  }
  return ids.length === 0 || ids.some((only) => id.startsWith(only));
});
const waiting = [...chosen];
const outcomes = new Map<string, Outcome>();
const startedAt = Date.now();
async function work(): Promise<void> {
  for (let scenario = waiting.shift(); scenario !== undefined; scenario = waiting.shift()) {
    const own = path.join(folder, `scenario-${scenario.id}`);
    fs.mkdirSync(own);
    const outcome = await runScenario(scenario, binary, apps, own, nginx);
    outcomes.set(scenario.id, outcome);
    const wrong = outcome.problems.length === 0 ? 'ok' : 'FAILED';
    say(`${scenario.id} ${scenario.title}: ${wrong}, ${(outcome.millis / 1_000).toFixed(0)} s`);
  }
}
await Promise.all(Array.from({ length: Number(options['at-once']) }, work));

const ordered = chosen.map(({ id }) => outcomes.get(id) as Outcome);
say('');
for (const line of renderTable(ordered.flatMap(({ rows }) => rows))) say(line);
for (const { scenario, problems, evidence } of ordered) {
  for (const line of evidence) say(`${scenario.id} saw: ${line}`);
  for (const problem of problems) say(`${scenario.id} FAILED: ${problem}`);
}
const failed = ordered.filter(({ problems }) => problems.length > 0).length;
if (chosen.length === scenarios.length)
  writeDocument(ordered, {
    versions: await versions(),
    millis: Date.now() - startedAt,
    atOnce: Number(options['at-once']),
  });
say(`\n${ordered.length - failed} passed, ${failed} failed, in ${seconds(startedAt)} s`);
process.exitCode = failed === 0 && ordered.length > 0 ? 0 : 1;

function seconds(from: number): string {
  return ((Date.now() - from) / 1_000).toFixed(0);
}

async function versions(): Promise<Record<string, string>> {
  const [two, three] = [apps['2.12'], apps['3.1']];
  return {
    'OpenTelemetry Collector': `${version} (${source === 'built' || source === 'cache' ? 'of test/collector/manifest.yaml' : source})`,
    'otel-circuit-breaker': packageVersion(two),
    'SDK 2.12': `sdk-trace-base ${packageVersion(two, '@opentelemetry/sdk-trace-base')}, OTLP exporters ${packageVersion(two, '@opentelemetry/exporter-trace-otlp-proto')}`,
    'SDK 3.1': `sdk-trace ${packageVersion(three, '@opentelemetry/sdk-trace')}, OTLP exporters ${packageVersion(three, '@opentelemetry/exporter-trace-otlp-proto')}`,
    'Node.js': process.versions.node,
    nginx: nginx === undefined ? 'none' : await nginxVersion(nginx),
  };
}
