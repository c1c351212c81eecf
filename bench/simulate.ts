/**
 * A fleet of real exporters on one virtual clock, through outages of a collector that collapses under load.
 *
 *     npm run simulate -- [--services 10000] [--outages 10,18,32,…] [--scales 1000,10000,100000] [--jobs 2] [--folder docs]
 *
 * Writes its section of `BENCHMARKS.md`, `simulate.csv` and `simulate-*.svg`.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { AFTER_SECONDS, CAPACITY_TIMES_STEADY, runFleet, WARM_UP_SECONDS } from './simulate/fleet.ts';
import { plots, tables, toCsv, verdict } from './simulate/report.ts';
import { runTasks } from './simulate/run-tasks.ts';
import type { Task } from './simulate/scenarios.ts';
import { protocols, scenarios } from './simulate/scenarios.ts';
import { writeBeside, writeSection } from './support/document.ts';
import { figure, markdownTable } from './support/table.ts';

const { values: options } = parseArgs({
  options: {
    services: { type: 'string', default: '10000' },
    outages: { type: 'string', default: '10,18,32,58,104,186,334,600' },
    scales: { type: 'string', default: '1000,10000,100000' },
    jobs: { type: 'string', default: String(availableParallelism()) },
    folder: { type: 'string' },
  },
});
const services = Number(options.services);
const outages = numbers(options.outages);
/** Of a length that is not a multiple of anybody's pause. */
const shownOutage = outages.findLast((seconds) => seconds <= 200) ?? outages[0] ?? 0;
const destination = { folder: options.folder };

const startedAt = performance.now();
const tasks: Task[] = protocols.flatMap((protocol) =>
  scenarios.flatMap(({ name }) =>
    outages.map((outageSeconds, index) => ({
      scenario: name,
      protocol,
      outageSeconds,
      services,
      seed: index + 1,
    })),
  ),
);
let finished = 0;
const results = await runTasks(tasks, Number(options.jobs), () => {
  finished += 1;
  if (process.stdout.isTTY) process.stdout.write(`\r${finished} of ${tasks.length}`);
});

const scales = numbers(options.scales).map((scale) => {
  const outageSeconds = 60;
  const { wallMillis } = runFleet({
    services: scale,
    protocol: 'grpc',
    wrapping: {},
    outageSeconds,
    seed: 1,
  });
  const simulated = WARM_UP_SECONDS + outageSeconds + AFTER_SECONDS;
  return [
    scale.toLocaleString('en-US'),
    simulated,
    wallMillis / 1_000,
    (wallMillis * 1_000) / scale / simulated,
  ];
});

const body = `${services.toLocaleString('en-US')} services, each with the real \`CircuitBreakerExporter\` behind a batch processor (512 spans or 5 s, one
export at a time, a queue of 2,048), on one virtual clock, seeded. 19 of 20 are quiet (10 spans/s, a batch every 5 s), one is
busy (2,048 spans/s, 4 batches a second). The collector serves ${CAPACITY_TIMES_STEADY} times the usual load; what is offered beyond that it refuses,
and serves the less for it. ${outages.length} outages of ${outages.join(', ')} s; "mean / worst" of them; loads are multiples of the usual one,
and the peak is the busiest second of the first minute after. Times are from the end of the outage; of the bare exporter,
until it has delivered again. An outage too short to open a circuit counts as closed at once. A busy service with a queue
of one second loses almost all of its spans in any outage, whatever wraps it: only retention helps there.

${tables(results)}

${verdict(results)}

![Load around the recovery](simulate-load.svg)

![Load with retention](simulate-retention.svg)

![Share of the fleet that is closed](simulate-closed.svg)

![Peaks](simulate-peaks.svg)

### Cost of the simulation

One outage of 60 s, gRPC-like, default policy.

${markdownTable(['breakers', 'simulated, s', 'real, s', 'microseconds a breaker and simulated second'], scales)}

All of it took ${figure((performance.now() - startedAt) / 1_000)} s. Every outage: [simulate.csv](simulate.csv).`;

for (const [name, svg] of Object.entries(plots(results, shownOutage))) writeBeside(name, svg, destination);
writeBeside('simulate.csv', toCsv(results), destination);
console.log(`\n${body}\n\nwritten to ${writeSection('simulate', 'A fleet', body, destination)}`);

function numbers(list: string): number[] {
  return list.split(',').filter(Boolean).map(Number);
}
