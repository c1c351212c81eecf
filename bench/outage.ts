/**
 * What an outage costs a service: real processes, `NodeSDK`, the real OTLP exporter with all defaults, and a receiver that
 * fails in several ways; the processor's queue also in a longer form. Each service ends by SIGTERM.
 *
 *     npm run bench:outage -- [--seconds 60] [--rate 2000] [--only 503,hang] [--at-once 9] [--folder docs]
 *                             [--ages 0.5,3,10,30,37,60] [--lengths 2,5,8,20] [--parts outages,sigterm]
 *
 * Writes its section of `BENCHMARKS.md` and `outage.csv`.
 */
import { parseArgs } from 'node:util';
import type { CellResult } from './outage/cell.ts';
import { runCell, runCells } from './outage/cell.ts';
import { HEALTHY_SECONDS, outages } from './outage/outages.ts';
import { QUEUE_SPANS, SETUPS } from './outage/protocol.ts';
import { tables, toCsv, verdict } from './outage/report.ts';
import { sigterm } from './outage/sigterm.ts';
import { writeBeside, writeSection } from './support/document.ts';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    rate: { type: 'string', default: '2000' },
    only: { type: 'string' },
    'at-once': { type: 'string', default: '9' },
    ages: { type: 'string', default: '0.5,3,10,30,37,60' },
    lengths: { type: 'string', default: '2,5,8,20' },
    parts: { type: 'string', default: 'outages,sigterm' },
    folder: { type: 'string' },
  },
});
const load = { seconds: Number(options.seconds), spansPerSecond: Number(options.rate) };
const atOnce = Number(options['at-once']);
const only = options.only?.split(',');
const parts = options.parts.split(',');

const results: CellResult[] = [];
if (parts.includes('outages')) {
  const shown = outages(load.seconds).filter(({ name }) => only === undefined || only.includes(name));
  // Those that run at once are of one outage: they are compared with one another.
  for (const outage of shown) {
    const setups = SETUPS.filter(({ onlyIn503 = false }) => !onlyIn503 || outage.name === '503');
    const runs = setups.map((setup) => () => runCell(outage, setup, load));
    results.push(...(await runCells(runs, atOnce)));
    console.log(`${outage.name}: ${setups.length} cells`);
  }
}
const numbers = (list: string): number[] => list.split(',').filter(Boolean).map(Number);
const ends = parts.includes('sigterm')
  ? await sigterm({ ages: numbers(options.ages), lengths: numbers(options.lengths) }, atOnce)
  : '';

const body = `A process of its own makes ${load.spansPerSecond.toLocaleString('en-US')} spans/s for ${load.seconds} s: \`NodeSDK\` with the \`BatchSpanProcessor\` that it makes itself
(512 spans a batch, a queue of ${QUEUE_SPANS.default.toLocaleString('en-US')}; some rows have one of ${QUEUE_SPANS.long.toLocaleString('en-US')}), the real OTLP/HTTP exporter (JSON), everything at its
default, and a receiver in a process of its own. The outage begins when the service has run for ${HEALTHY_SECONDS} s, except where the table
says otherwise. The service ends by SIGTERM: \`sdk.shutdown()\`, \`exporter.shutdown()\`, \`process.exit()\`; the time is from
the signal to the end of the process. **At most ${atOnce} cells, of one outage, run at the same time**: CPU seconds are each process's
own; the event loop's delay is above what it would be alone. "Requests" are HTTP requests begun, also those that are refused;
"of these by the processor": spans for which its queue had no room.

${[verdict(results), tables(results), ends].filter(Boolean).join('\n\n')}

As CSV: [outage.csv](outage.csv).`;

if (results.length > 0) writeBeside('outage.csv', toCsv(results), { folder: options.folder });
console.log(
  `\n${body}\n\nwritten to ${writeSection('bench:outage', 'What an outage costs a service', body, { folder: options.folder })}`,
);
