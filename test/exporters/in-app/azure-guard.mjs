/** Azure's exporter behind a breaker that looks at durations. @see docs/guide/exporters.md */
import { setTimeout } from 'node:timers/promises';
import { anyTrip, CircuitBreakerExporter, consecutiveFailures, slowExportRate } from 'otel-circuit-breaker';
import { batchOf } from './items.mjs';
import { make } from './make.mjs';
import { receiver, report } from './receiver.mjs';

const [url, situation] = process.argv.slice(2);

/** What Azure's exporter answered in the outage. */
let answers = [];
const azure = await make['azure-traces'](url);
const listening = {
  export(batch, answer) {
    const began = performance.now();
    let answered = false;
    return azure.export(batch, (result) => {
      if (!answered) answers.push({ code: result.code, millis: Math.round(performance.now() - began) });
      answered = true;
      answer(result);
    });
  },
  shutdown: () => azure.shutdown(),
};
const exporter = new CircuitBreakerExporter(listening, {
  tripPolicy: anyTrip(
    consecutiveFailures(3),
    slowExportRate({ slowerThanMillis: 2_000, window: { exports: 3 } }),
  ),
  retention: {},
});

/** Makes telemetry until this holds. @returns whether it did */
async function until(holds, millis) {
  const end = performance.now() + millis;
  while (!holds() && performance.now() < end) {
    exporter.export(batchOf.traces(), () => {});
    await setTimeout(250);
  }
  return holds();
}

const state = () => exporter.breaker.state;
await receiver('healthy');
await until(() => answers.length >= 4, 10_000);
await receiver(situation);
answers = [];
const opened = await until(() => state() !== 'CLOSED', 60_000);
const untilOpen = [...answers];
const stayed = await until(() => exporter.snapshot().failedProbes >= 2 || state() === 'CLOSED', 90_000);
const { failedProbes } = exporter.snapshot();
const hidden = answers.filter(({ code }) => code === 0).length;
await receiver('healthy');
const closed = await until(() => state() === 'CLOSED', 60_000);
await exporter.redeliver();
const { lost, kept } = exporter.snapshot().delivery;
report({
  opened,
  untilOpen,
  stayedOpen: stayed && failedProbes >= 2,
  failedProbes,
  hidden,
  closed,
  lost: lost.items,
  kept: kept.items,
});
