import type { ServiceProcess } from '../service-process.ts';
import type { Stage } from '../stage.ts';
import { TIMEOUT_MILLIS } from '../stage.ts';
import { playOutage } from './outage.ts';

/** The collector accepts connections and requests, and never answers; then it does. */
export async function playSilent(stage: Stage, service: ServiceProcess): Promise<void> {
  const { collector, screen } = stage;
  screen.title(`3. The collector accepts and never answers: each export takes its ${TIMEOUT_MILLIS} ms`);
  await service.ask('resume');
  await playOutage(stage, {
    collector: 'silent',
    services: [service],
    opens: 'opensSilent',
    closes: 'closesSilent',
    async begin() {
      await collector.mode('hang');
      stage.say('the collector stops answering');
    },
    async end() {
      await collector.mode('healthy');
      stage.say('the collector answers again');
    },
  });
  await service.ask('pause');
  stage.watch();
}
