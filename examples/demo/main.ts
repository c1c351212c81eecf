/**
 * The demo: real services, a real OTLP/HTTP receiver, and what a circuit breaker makes of its outages.
 *
 *     npm run demo
 *
 * Ends with exit code 0 only if everything that it promises has happened.
 */

import { PROMISES } from './promises.ts';
import { playKilled } from './scenes/killed.ts';
import { showPrometheus } from './scenes/prometheus.ts';
import { playShutdown, startShutdownPair } from './scenes/shutdown.ts';
import { playSilent } from './scenes/silent.ts';
import { playUnreachable } from './scenes/unreachable.ts';
import { Screen } from './screen.ts';
import { EXPORT_EVERY_MILLIS, Stage, TIMEOUT_MILLIS } from './stage.ts';
import { printSummary } from './summary.ts';

const screen = new Screen(process.stdout, process.env);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    screen.live();
    // Ends it, and its processes, as if nobody had listened.
    process.kill(process.pid, signal);
  });
}

const stage = await Stage.set(screen);
try {
  await play(stage);
} catch (error) {
  stage.promises.breakOff();
  screen.print('', `The demo broke off: ${error instanceof Error ? error.message : String(error)}`);
}
await stage.clear();
printSummary(screen, stage.summary);
screen.title(`What the demo promises (${Object.keys(PROMISES).length})`);
stage.promises.print(screen);
screen.print(
  '',
  `${stage.promises.allKept ? 'All promises kept' : 'A promise was BROKEN'}, in ${stage.seconds.toFixed(1)} s.`,
);
// The services are still there: they go with this process.
process.exit(stage.promises.allKept ? 0 : 1);

async function play(stage: Stage): Promise<void> {
  stage.screen.print(
    'A circuit breaker for OpenTelemetry exporters, on real outages of a real OTLP/HTTP receiver.',
    `The exporters have timeoutMillis ${TIMEOUT_MILLIS} (their default is 10000), the batch processors export every`,
    `${EXPORT_EVERY_MILLIS} ms (their default is 5000), so that you need not wait. The breaker has its defaults: it opens after`,
    'three failures in a row; then every tenth batch is a probe, or one after a pause that grows, none within a second.',
  );
  const settings = { timeoutMillis: TIMEOUT_MILLIS, scheduledDelayMillis: EXPORT_EVERY_MILLIS };
  const [without, keeping] = await Promise.all([
    stage.startService('without retention', { ...settings, breaker: 'plain', firstNumber: 1 }),
    stage.startService('with retention', { ...settings, breaker: 'retention', firstNumber: 1_000_001 }),
  ]);
  stage.screen.print(
    `The services are the processes ${without.pid} and ${keeping.pid}; this is ${process.pid}.`,
  );

  await playUnreachable(stage, without);
  await playKilled(stage, without, keeping);
  const [pair] = await Promise.all([startShutdownPair(stage), playSilent(stage, without)]);
  await showPrometheus(stage, without);
  await playShutdown(stage, pair);
}
