/** Azure's exporter behind a breaker that looks at durations. @see docs/guide/exporters.md */
import { setTimeout } from 'node:timers/promises';
import {
  afterCooldown,
  anyTrip,
  CircuitBreakerExporter,
  consecutiveFailures,
  slowExportRate,
} from 'otel-circuit-breaker';
import { batchOf } from './items.mjs';
import { make } from './make.mjs';
import { receiver, report } from './receiver.mjs';

const [url, situation] = process.argv.slice(2);
const states = [];
const exporter = new CircuitBreakerExporter(await make['azure-traces'](url), {
  tripPolicy: anyTrip(
    consecutiveFailures(3),
    slowExportRate({ slowerThanMillis: 2_000, window: { exports: 3 } }),
  ),
  probePolicy: afterCooldown(1_000),
  onTransition: ({ to }) => states.push(to),
});
const answers = [];
const send = () =>
  new Promise((resolve) => {
    const began = performance.now();
    exporter.export(batchOf.traces(), ({ code }) => {
      answers.push({ code, millis: Math.round(performance.now() - began) });
      resolve();
    });
  });

await receiver('healthy');
for (let sent = 0; sent < 3; sent++) await send();
await receiver(situation);
while (exporter.breaker.state === 'CLOSED' && answers.length < 8) await send();
const untilOpen = answers.slice(3);
const opened = exporter.breaker.state;

/** Sends now and then until two probes have been answered, which must not close it. */
const probes = () => exporter.snapshot().probes;
const end = performance.now() + 60_000;
while (
  exporter.snapshot().failedProbes < 2 &&
  performance.now() < end &&
  exporter.breaker.state !== 'CLOSED'
) {
  await setTimeout(200);
  await send();
}
const stayed = exporter.breaker.state;
const failedProbes = exporter.snapshot().failedProbes;
await receiver('healthy');
const late = performance.now() + 20_000;
while (exporter.breaker.state !== 'CLOSED' && performance.now() < late) {
  await setTimeout(200);
  await send();
}
report({ untilOpen, opened, stayed, failedProbes, probes: probes(), closed: exporter.breaker.state, states });
