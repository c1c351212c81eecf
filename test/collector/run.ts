/**
 * The library end to end against a real OpenTelemetry Collector.
 *
 *     node test/collector/run.ts [--only <id>,<id>] [--at-once 2]
 *
 * Prints a table and `N passed, N failed`, and writes docs/COLLECTOR.md when all scenarios ran. Without a Collector and
 * without Go to build one: one line, skipped; where `CI` is set that is a failure.
 */
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { makeApps } from './apps.ts';
import { temporaryFolder } from './collector-process.ts';
import { writeDocument } from './document.ts';
import { findCollector } from './find-collector.ts';
import { findNginx } from './find-nginx.ts';
import type { Outcome } from './outcome.ts';
import { runScenario } from './outcome.ts';
import { scenarios } from './scenarios/all.ts';
import { renderTable } from './table.ts';

const { values: options } = parseArgs({
  options: { only: { type: 'string', default: '' }, 'at-once': { type: 'string', default: '2' } },
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
const chosen = scenarios.filter(({ id }) => ids.length === 0 || ids.some((only) => id.startsWith(only)));
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
  writeDocument(ordered, { version, source, nginx, millis: Date.now() - startedAt });
say(`\n${ordered.length - failed} passed, ${failed} failed, in ${seconds(startedAt)} s`);
process.exitCode = failed === 0 && ordered.length > 0 ? 0 : 1;

function seconds(from: number): string {
  return ((Date.now() - from) / 1_000).toFixed(0);
}
