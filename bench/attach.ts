/**
 * What `otel-circuit-breaker/attach` costs a process at its start: beside a process without it, and one that loads the
 * library alone.
 *
 *     npm run bench:attach -- [--rounds 40] [--node /usr/bin/node] [--node …] [--folder docs]
 *
 * Writes its section of `BENCHMARKS.md`.
 */
import { execFile } from 'node:child_process';
import { parseArgs, promisify } from 'node:util';
import { writeSection } from './support/document.ts';
import { markdownTable, median } from './support/table.ts';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '40' },
    node: { type: 'string', multiple: true, default: [process.execPath] },
    folder: { type: 'string' },
  },
});

const LIBRARY = 'otel-circuit-breaker';
const ATTACH = 'otel-circuit-breaker/attach';
/** The module that each process loads before the application. */
const PRELOADS = [undefined, LIBRARY, ATTACH] as const;
const FLAGS = ['--require', '--import'] as const;

/** The application: one exporter, registered with the API; it says what was used until attach has wrapped it. */
const APPLICATION = `
  const { BasicTracerProvider, BatchSpanProcessor } = require('@opentelemetry/sdk-trace-base');
  const { trace } = require('@opentelemetry/api');
  const processor = new BatchSpanProcessor({ export: (spans, answer) => answer({ code: 0 }), shutdown: async () => {} });
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [processor] }));
  setTimeout(() => {
    const { user, system } = process.cpuUsage();
    const isWrapped = processor._exporter.constructor.name === 'CircuitBreakerExporter';
    process.stdout.write(JSON.stringify([process.versions.node, (user + system) / 1000, isWrapped]));
    process.exit();
  }, 300);
`;

async function start(node: string, flag: string, preload: string | undefined): Promise<[string, number]> {
  const flags = preload === undefined ? [] : [flag, preload];
  const { stdout } = await promisify(execFile)(node, [...flags, '--eval', APPLICATION]);
  const [version, cpuMillis, isWrapped] = JSON.parse(stdout) as [string, number, boolean];
  if (isWrapped !== (preload === ATTACH)) throw new Error(`${flags.join(' ')}: wrapped: ${isWrapped}`);
  return [version, cpuMillis];
}

const rows: (string | number)[][] = [];
for (const node of options.node) {
  for (const flag of FLAGS) {
    const cpu = PRELOADS.map((): number[] => []);
    let running = '';
    for (let round = 0; round < Number(options.rounds); round++) {
      for (const [index, preload] of PRELOADS.entries()) {
        const [version, cpuMillis] = await start(node, flag, preload);
        running = version;
        cpu[index]?.push(cpuMillis);
      }
    }
    const [nothing = Number.NaN, library = Number.NaN, attach = Number.NaN] = cpu.map(median);
    rows.push([`Node ${running}, \`${flag}\``, nothing, library - nothing, attach - library]);
  }
}

const path = writeSection(
  'bench:attach',
  'What attach costs at start',
  `CPU time of a small application with one exporter, until attach has wrapped it; milliseconds. Medians of ${options.rounds} interleaved
starts, a process of its own for each. Goals: the library at most 15 ms, attach at most 15 ms more.

${markdownTable(['', 'without', 'the library adds', 'attach adds to that'], rows)}`,
  { folder: options.folder },
);
console.log(`written: ${path}`);
