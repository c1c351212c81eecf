import { setTimeout as delay } from 'node:timers/promises';
import type { Count } from './count.ts';
import { count } from './count.ts';
import type { Stage } from './stage.ts';

/** What the acts have measured. */
export interface Outcome {
  readonly without: Count;
  readonly guarded: Count;
  readonly openedAfterMillis: number;
  readonly closedAfterMillis: number;
  readonly exitMillis: { readonly without: number; readonly guarded: number };
}

/** @param verbose - whether health and metrics are shown, too */
export async function play(stage: Stage, verbose: boolean): Promise<Outcome> {
  const { screen, without, guarded } = stage;
  stage.narrate('Two services make 1,000 spans a second each, with default settings. One has the library.');
  const first = { without: await without.ask('resume'), guarded: await guarded.ask('resume') };
  await stage.resumeTwins();
  // The first exports of a process are slow; after eight more, they no longer set the patience of shutdown().
  await delay(4_500);

  stage.narrate('The collector is killed. Exporters now retry each batch for 8 s before they give up.');
  const killedAt = performance.now();
  await stage.killCollector();
  await delay(1_500);
  stage.narrate('Another two services like these get SIGTERM: a deployment during the outage.');
  const exits = Promise.all([stage.terminateTwin('without'), stage.terminateTwin('guarded')]);
  await without.until('spans to be dropped', ({ lost }) => lost > 0);
  stage.narrate('Without the library, the full queue drops spans. With it, batches wait in memory.');
  await guarded.until('the circuit to open', ({ state }) => state === 'OPEN');
  const openedAfterMillis = performance.now() - killedAt;
  await delay(500);
  if (verbose) await showHealth(stage);

  stage.narrate('The collector is back. The next probe finds out, and the kept spans are delivered.');
  const backAt = performance.now();
  await stage.restartCollector();
  await guarded.until('the circuit to close', ({ state }) => state === 'CLOSED');
  const closedAfterMillis = performance.now() - backAt;
  await delay(500);
  const counts = {
    without: await count(stage, without, first.without),
    guarded: await count(stage, guarded, first.guarded),
  };
  stage.say(
    `Counted at the collector: ${counts.without.lost} spans are missing without, ${counts.guarded.lost} with.`,
  );
  if (verbose) {
    await showHealth(stage);
    screen.print((await guarded.ask('prometheus')).trimEnd());
  }

  const [slow, fast] = await exits;
  return { ...counts, openedAfterMillis, closedAfterMillis, exitMillis: { without: slow, guarded: fast } };
}

async function showHealth({ guarded, screen }: Stage): Promise<void> {
  const { httpStatus, body } = await guarded.ask('health');
  screen.print(`GET /health/telemetry: ${httpStatus} ${JSON.stringify(body, null, 2)}`);
}
