/**
 * `docs/BENCHMARKS.md`: each script replaces its own section, between two comments, and leaves the others as they are.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** The sections, in the order in which they stand in the document. `test:disk` is written by hand. */
const SECTIONS = ['bench', 'bench:outage', 'bench:attach', 'bench:disk', 'test:disk', 'simulate'] as const;
export type Section = (typeof SECTIONS)[number];

const HEAD = `# Benchmarks

<!-- markdownlint-disable MD013 -->

Written by \`npm run bench\`, \`bench:outage\`, \`bench:attach\`, \`bench:disk\` and \`simulate\`, each its own section;
the section of \`npm run test:disk\` is written by hand. Absolute numbers are those of one machine; ratios are of one run.
`;

/** Where documents go: the folder `docs` of the repository, or any other. */
export interface Destination {
  /** @defaultValue docs */
  readonly folder?: string | undefined;
}

/** Replaces a section of the document. @param body - Markdown, headings from the third level on */
export function writeSection(
  section: Section,
  title: string,
  body: string,
  { folder }: Destination = {},
): string {
  const path = join(docsFolder(folder), 'BENCHMARKS.md');
  const sections = SECTIONS.map((name) => {
    if (name !== section) return readSection(path, name);
    return [
      begin(name),
      `## ${title}`,
      '',
      circumstances(commandLine(name)),
      '',
      body.trim(),
      end(name),
    ].join('\n');
  });
  writeFileSync(path, `${[HEAD, ...sections.filter((text) => text !== '')].join('\n').trim()}\n`);
  return path;
}

/** Writes another file beside the document. */
export function writeBeside(name: string, text: string, { folder }: Destination = {}): void {
  writeFileSync(join(docsFolder(folder), name), text);
}

/** The version of an installed package. */
function versionOf(packageName: string): string {
  const path = join(ROOT, 'node_modules', packageName, 'package.json');
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}

/** The load averages when this process began, before it added its own. */
const loadAtStart = loadavg();

/** What was typed to run this script, with all its flags. */
function commandLine(section: Section): string {
  const flags = process.argv.slice(2).map((flag) => (/^[\w./:,=@-]+$/.test(flag) ? flag : `'${flag}'`));
  return [`npm run ${section}`, ...(flags.length === 0 ? [] : ['--', ...flags])].join(' ');
}

function circumstances(command: string): string {
  const date = new Date().toISOString().slice(0, 16).replace('T', ' ');
  const [cpu] = cpus();
  const library = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string })
    .version;
  const versions = ['@opentelemetry/sdk-trace-base', 'opossum', 'cockatiel'].map(
    (name) => `${name} ${versionOf(name)}`,
  );
  const loads = loadAtStart.map((load) => load.toFixed(1)).join(', ');
  return [
    `\`${command}\`, ${date} UTC. otel-circuit-breaker ${library}, Node ${process.versions.node},`,
    `${versions.join(', ')}; ${type()} ${release()}, ${cpus().length} x ${cpu?.model.trim()},`,
    `${(totalmem() / 2 ** 30).toFixed(1)} GiB; load average at the start (1, 5, 15 min) ${loads}.`,
  ].join('\n');
}

function docsFolder(folder = join(ROOT, 'docs')): string {
  mkdirSync(folder, { recursive: true });
  return folder;
}

function begin(section: Section): string {
  return `<!-- ${section}: begin -->`;
}

function end(section: Section): string {
  return `<!-- ${section}: end -->\n`;
}

function readSection(path: string, section: Section): string {
  let text = '';
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    return '';
  }
  const from = text.indexOf(begin(section));
  const to = text.indexOf(end(section).trim());
  return from < 0 || to < 0 ? '' : `${text.slice(from, to)}${end(section)}`;
}
