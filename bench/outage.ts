/**
 * What an outage costs a service: real processes, the real OTLP exporter, a receiver that fails in eight ways, and six
 * wrappings; where it fails for good with 503, the probe policies too.
 *
 *     npm run bench:outage -- [--seconds 60] [--rate 2000] [--only 503,hang] [--at-once 6] [--folder docs]
 *
 * Writes its section of `BENCHMARKS.md` and `outage.csv`.
 */
import { parseArgs } from 'node:util';
import type { CellResult } from './outage/cell.ts';
import { runCell } from './outage/cell.ts';
import { outages } from './outage/outages.ts';
import { QUEUE_SPANS, RETENTION_ITEMS, WRAPPINGS, wrappingsOf } from './outage/protocol.ts';
import { tables, toCsv, verdict } from './outage/report.ts';
import { writeBeside, writeSection } from './support/document.ts';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    rate: { type: 'string', default: '2000' },
    only: { type: 'string' },
    'at-once': { type: 'string', default: '6' },
    folder: { type: 'string' },
  },
});
const seconds = Number(options.seconds);
const rate = Number(options.rate);
const atOnce = Number(options['at-once']);
const only = options.only?.split(',');

const shown = outages(seconds).filter(({ name }) => only === undefined || only.includes(name));
const results: CellResult[] = [];
// Those that run at once are of one outage: they are compared with one another.
for (const outage of shown) {
  const wrappings = wrappingsOf(outage.name);
  for (let first = 0; first < wrappings.length; first += atOnce) {
    const cells = wrappings.slice(first, first + atOnce);
    results.push(...(await Promise.all(cells.map((wrapping) => runCell(outage, wrapping, seconds, rate)))));
    console.log(`${outage.name}: ${cells.map((wrapping) => WRAPPINGS[wrapping]).join('; ')}`);
  }
}

const body = `A process of its own makes ${rate.toLocaleString('en-US')} spans/s for ${seconds} s: \`BatchSpanProcessor\` (512 spans a batch, a queue of
${QUEUE_SPANS.toLocaleString('en-US')}: with its default of 2,048 one export that takes 8 s to fail loses the traffic of 7 s before any exporter
sees it), the real OTLP/HTTP exporter (JSON, its default time-out), and a receiver in a process of its own. The outage begins
with the service. Retention has room for ${RETENTION_ITEMS.toLocaleString('en-US')} spans. **At most ${atOnce} cells, of one outage, run at the same time**:
CPU seconds are each process's own; the event loop's delay is above what it would be alone. "Requests" are HTTP requests begun, also those that
are refused; "of these by the processor": spans for which its queue had no room.

${verdict(results)}

${tables(results)}

As CSV: [outage.csv](outage.csv).`;

writeBeside('outage.csv', toCsv(results), { folder: options.folder });
console.log(
  `\n${body}\n\nwritten to ${writeSection('bench:outage', 'What an outage costs a service', body, { folder: options.folder })}`,
);
