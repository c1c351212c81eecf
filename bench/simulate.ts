/**
 * Fleets of real exporters on one virtual clock, through outages of a collector that collapses under load; and what the
 * constants of the hand-over would do at other values.
 *
 *     npm run simulate -- [--services 1000] [--outages 10,18,32,…] [--slow-outages 58,186,…] [--scales 1000,10000]
 *                         [--seeds 8] [--constant MOST_HANDED] [--parts fleet,constants,cost] [--jobs 2] [--folder docs]
 *
 * With the defaults it takes about five minutes; `LONG_FORM` below has less chance in it.
 *
 * Writes its section of `BENCHMARKS.md`, `simulate.csv` and `simulate-*.svg`.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { constants } from './simulate/constants.ts';
import { CAPACITY_TIMES_STEADY, runFleet } from './simulate/fleet.ts';
import { FLEET_KINDS } from './simulate/fleet-kinds.ts';
import { plots, tables, toCsv, verdict } from './simulate/report.ts';
import { runTasks } from './simulate/run-tasks.ts';
import type { Task, TaskResult } from './simulate/scenarios.ts';
import { parts, scenariosOf } from './simulate/scenarios.ts';
import { writeBeside, writeSection } from './support/document.ts';
import { figure, markdownTable } from './support/table.ts';

const { values: options } = parseArgs({
  options: {
    services: { type: 'string', default: '1000' },
    outages: { type: 'string', default: '10,18,32,58,104,186,334' },
    'slow-outages': { type: 'string', default: '58,186,334' },
    scales: { type: 'string', default: '1000,10000' },
    seeds: { type: 'string', default: '8' },
    constant: { type: 'string', default: '' },
    parts: { type: 'string', default: 'fleet,constants,cost' },
    jobs: { type: 'string', default: String(Math.min(2, availableParallelism())) },
    folder: { type: 'string' },
  },
});
const LONG_FORM =
  'npm run simulate -- --services 4000 --outages 10,18,32,58,104,186,334,600 --slow-outages 58,186,334,600 --scales 1000,10000,100000 --seeds 20';
/** So many times as many services in the slow fleets, or chance alone would make their peaks. */
const SLOW_TIMES = 5;
const services = Number(options.services);
const outages = numbers(options.outages);
const slowOutages = numbers(options['slow-outages']);
const jobs = Number(options.jobs);
const wanted = options.parts.split(',');
const destination = { folder: options.folder };

const startedAt = performance.now();
const texts: string[] = [];
if (wanted.includes('fleet')) texts.push(await fleet());
if (wanted.includes('constants'))
  texts.push(await constants({ seeds: Number(options.seeds), jobs, only: options.constant }));
if (wanted.includes('cost')) texts.push(cost());
texts.push(`All of it took ${figure((performance.now() - startedAt) / 1_000)} s.`);
const body = texts.join('\n\n');
console.log(`\n${body}\n\nwritten to ${writeSection('simulate', 'A fleet', body, destination)}`);

async function fleet(): Promise<string> {
  const tasks: Task[] = parts.flatMap((part) =>
    scenariosOf(part).flatMap(({ name }) =>
      (part.kind === 'mixed' ? outages : slowOutages).map((outageSeconds, index) => ({
        scenario: name,
        kind: part.kind,
        failure: part.failure,
        outageSeconds,
        services: part.kind === 'mixed' ? services : SLOW_TIMES * services,
        seed: index + 1,
      })),
    ),
  );
  let finished = 0;
  const results = await runTasks<Task, TaskResult>(tasks, {
    worker: new URL('./simulate/worker.ts', import.meta.url),
    jobs,
    weight: ({ outageSeconds }) => outageSeconds,
    done() {
      finished += 1;
      if (process.stdout.isTTY) process.stdout.write(`\r${finished} of ${tasks.length}`);
    },
  });
  /** Of a length that is not a multiple of anybody's pause. */
  const shownOutage = outages.findLast((seconds) => seconds <= 200) ?? outages[0] ?? 0;
  for (const [name, svg] of Object.entries(plots(results, shownOutage))) writeBeside(name, svg, destination);
  writeBeside('simulate.csv', toCsv(results), destination);
  return `${services.toLocaleString('en-US')} services, each with the real \`CircuitBreakerExporter\` behind a batch processor (512 spans or 5 s, one
export at a time, a queue of 2,048), on one virtual clock, seeded. In the mixed fleet 19 of 20 are quiet (10 spans/s, a batch
every 5 s), one is busy (2,048 spans/s, 4 batches a second). In the other fleets each service exports every 30 or 60 s, as a
metric reader does, and there are ${SLOW_TIMES} times as many services. The collector can serve ${CAPACITY_TIMES_STEADY} times the usual load. It refuses what is
offered beyond that, and refusing costs it capacity, too.

Outages of ${outages.join(', ')} s, of the slow fleets ${slowOutages.join(', ')} s; "mean / worst" of them. Loads are multiples of the usual one,
and the peak is the busiest second after the outage. Times are from the end of the outage; of the bare exporter, until it has
delivered again. An outage too short to open a circuit counts as closed at once. The spans of the simulation weigh nothing, so
that no budget is ever full.

How the bare exporter's own peak is excluded: a fleet without the library, of the same seed, goes through the same outage.
"Worst of its own" is the peak less what the bare fleet has above the usual load in its busiest second (retries that end
together, chance). "Times bare" is the peak divided by the bare fleet's.

The long form, with less chance in it, takes about half an hour on two cores: \`${LONG_FORM}\`.

${tables(results)}

${verdict(results)}

![Load around the recovery](simulate-load.svg)

![Load with retention](simulate-retention.svg)

![Share of the fleet that is closed](simulate-closed.svg)

![Peaks](simulate-peaks.svg)

Every outage: [simulate.csv](simulate.csv).`;
}

function cost(): string {
  const outageSeconds = 60;
  const { warmUpSeconds, afterSeconds } = FLEET_KINDS.mixed;
  const simulated = warmUpSeconds + outageSeconds + afterSeconds;
  const rows = numbers(options.scales).map((scale) => {
    const { wallMillis } = runFleet({
      kind: 'mixed',
      services: scale,
      failure: 'grpc',
      wrapping: {},
      outageSeconds,
      seed: 1,
    });
    const micros = (wallMillis * 1_000) / scale / simulated;
    return [scale.toLocaleString('en-US'), simulated, wallMillis / 1_000, micros];
  });
  return `### Cost of the simulation

One outage of ${outageSeconds} s, the mixed fleet, gRPC-like, default policy.

${markdownTable(['breakers', 'simulated, s', 'real, s', 'microseconds a breaker and simulated second'], rows)}`;
}

function numbers(list: string): number[] {
  return list.split(',').filter(Boolean).map(Number);
}
