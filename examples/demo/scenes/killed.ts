import type { ServiceProcess } from '../service-process.ts';
import type { Stage } from '../stage.ts';
import { count, mark } from './count.ts';
import { playOutage } from './outage.ts';

/** More spans than a batch holds here, also on a busy machine. */
const ONE_BATCH = 100;

/** The collector is killed and started again, under two services: one without retention, one with. */
export async function playKilled(
  stage: Stage,
  without: ServiceProcess,
  keeping: ServiceProcess,
): Promise<void> {
  const { collector, promises, screen, summary } = stage;
  screen.title('2. The collector is killed (SIGKILL), under two services side by side');
  // Both begin in peace, with nothing of an earlier outage on its way.
  await count(stage, await mark(without));
  const marks = { without: await mark(without), keeping: await mark(keeping) };
  await keeping.until('spans to arrive', ({ delivered }) => delivered >= 30);

  await playOutage(stage, {
    collector: 'killed',
    services: [without, keeping],
    opens: 'opensKilled',
    closes: 'closesKilled',
    async begin() {
      await collector.kill('SIGKILL');
      stage.say('the collector is killed');
    },
    async end() {
      await collector.restart();
      stage.say(`the collector is started again, on its port, as process ${collector.pid}`);
    },
  });

  stage.say(
    `${keeping.report.kept} spans wait in retention; redeliver() sends them now, not one batch with each new one`,
  );
  await keeping.ask('redeliver');
  const counts = { without: await count(stage, marks.without), keeping: await count(stage, marks.keeping) };
  stage.watch();
  summary.counts.push(
    { service: 'without retention', ...counts.without },
    { service: 'with retention: {}', ...counts.keeping },
  );
  promises.see('losesWithout', counts.without.lost > 0);
  promises.see('losesNothingWith', counts.keeping.made > 0 && counts.keeping.lost === 0);
  // What the collector had stored when it was killed, but had not answered, is lost only to the exporter.
  const inFlight = counts.without.lostByExporter - counts.without.lost;
  promises.see('countsRight', inFlight >= 0 && inFlight <= ONE_BATCH && counts.keeping.lostByExporter === 0);
  for (const [label, { made, arrived, lost }] of [
    ['without retention', counts.without],
    ['with retention', counts.keeping],
  ] as const) {
    stage.say(`${label}: ${made} spans made, ${arrived} arrived at the collector: lost ${lost}`);
  }
}
