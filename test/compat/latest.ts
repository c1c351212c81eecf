/**
 * The newest published SDK of each line, and what of the library breaks on it: for a weekly run, since the lock files
 * of the matrix stand still.
 *
 *     node test/compat/latest.ts
 */
import { appendFileSync, cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LineApp } from '../attach/field-cells.ts';
import { fieldCells } from '../attach/field-cells.ts';
import { IN_APP } from '../attach/install.ts';
import { browserCells } from './browser-cells.ts';
import { must } from './command.ts';
import { installApp, installedVersions } from './install-app.ts';
import type { SdkLine } from './lines.ts';
import { lines, title } from './lines.ts';
import { constantCells } from './module-cells.ts';
import { progressLine, table } from './report.ts';
import { runCells } from './run-cells.ts';
import { scenarioCells } from './scenario-cells.ts';
import { newFolder, scratchFolder } from './scratch.ts';
import { typeCells } from './type-cells.ts';

/** What belongs to a line, by the kind of version number; the API goes with what the line's packages ask for. */
const RANGES: Readonly<Record<SdkLine['name'], { stable: string; experimental: string; major: string }>> = {
  'sdk-1.30': { stable: '^1.30.0', experimental: '^0.57.0', major: '1.' },
  'sdk-2.12': { stable: '^2.12.0', experimental: '>=0.223.0 <0.300.0', major: '2.' },
  'sdk-3.1': { stable: '^3.1.0', experimental: '>=0.301.0 <0.400.0', major: '3.' },
};
/** A package of every line, whose major version is the line's. */
const BELLWETHER = '@opentelemetry/sdk-metrics';

scratchFolder();
const newest = await Promise.all(lines.map(newestOf));
const cells = [
  ...scenarioCells(newest),
  ...constantCells(newest),
  ...typeCells(newest),
  ...browserCells(newest),
  ...fieldCells(newest, newestApp),
];
const results = await runCells(cells, 2, (result) => console.log(progressLine(result)));
const news = [...(await unknownLines()), ...(await Promise.all(newest.map(changes))).flat()];
const broken = results.filter(({ outcome }) => outcome === 'failed').length;
const stray = news.filter((line) => line.startsWith('NEW LINE')).length;

const text = [
  table(results),
  '',
  ...(news.length > 0 ? news : ['every package is the one that the matrix runs']),
  '',
  `${results.length - broken} passed, ${broken + stray} failed`,
].join('\n');
console.log(`\n${text}`);
const summary = process.env['GITHUB_STEP_SUMMARY'];
if (summary !== undefined) appendFileSync(summary, `\`\`\`text\n${text}\n\`\`\`\n`);
process.exitCode = broken + stray > 0 ? 1 : 0;

/** Where the private fields that attach relies on are looked at. */
async function newestApp(line: SdkLine): Promise<LineApp> {
  const { folder: cwd } = await installApp(line, 'npm');
  cpSync(join(IN_APP, 'fields.mjs'), join(cwd, 'fields.mjs'));
  const { sdk = '', api = '' } = installedVersions(cwd);
  return { cwd, versions: { sdk, api } };
}

/** The app of a line without its lock files, and with ranges where it names versions. */
async function newestOf(line: SdkLine): Promise<SdkLine> {
  const { stable, experimental, major } = RANGES[line.name];
  const app = newFolder(`newest-${line.name}`);
  cpSync(line.app, app, {
    recursive: true,
    filter: (path) => !/(package-lock\.json|yarn\.lock|pnpm-lock\.yaml)$/.test(path),
  });
  const manifest = manifestOf(app);
  const api = await peerOf(`${BELLWETHER}@${stable}`);
  for (const [name, version] of Object.entries(manifest.dependencies)) {
    if (!name.startsWith('@opentelemetry/')) continue;
    const range = version.startsWith('0.') ? experimental : stable;
    manifest.dependencies[name] = name === '@opentelemetry/api' ? api : range;
  }
  writeFileSync(join(app, 'package.json'), JSON.stringify(manifest, null, 2));
  return { ...line, app, version: major, nodes: [line.usualNode] };
}

/** The API that the newest version in a range asks for. */
async function peerOf(spec: string): Promise<string> {
  const answer = JSON.parse(
    await must('npm', ['view', spec, 'peerDependencies', '--json'], { cwd: scratchFolder() }),
  );
  const last = Array.isArray(answer) ? answer.at(-1) : answer;
  return last['@opentelemetry/api'];
}

/** What is newer than in the matrix. */
async function changes(line: SdkLine): Promise<string[]> {
  const pinned = manifestOf(lines.find(({ name }) => name === line.name)?.app ?? '').dependencies;
  const app = await installApp(line, 'npm').catch(() => undefined);
  if (app === undefined) return [`${title(line)}: the newest packages do not install together`];
  const scope = join(app.folder, 'node_modules', '@opentelemetry');
  return readdirSync(scope).flatMap((name) => {
    const before = pinned[`@opentelemetry/${name}`];
    const { version } = JSON.parse(readFileSync(join(scope, name, 'package.json'), 'utf8'));
    return before === undefined || before === version
      ? []
      : [`${title(line)}: ${name} ${before} -> ${version}`];
  });
}

/** A major version that the matrix has no line for. */
async function unknownLines(): Promise<string[]> {
  const latest = (await must('npm', ['view', BELLWETHER, 'version'], { cwd: scratchFolder() })).trim();
  const known = Object.values(RANGES).some(({ major }) => latest.startsWith(major));
  return known
    ? []
    : [`NEW LINE: ${BELLWETHER} ${latest} has been published, and the matrix has no app for it`];
}

function manifestOf(app: string): { dependencies: Record<string, string> } {
  return JSON.parse(readFileSync(join(app, 'package.json'), 'utf8'));
}
