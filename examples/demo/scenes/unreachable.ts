import type { ServiceProcess } from '../service-process.ts';
import type { Stage } from '../stage.ts';
import { playOutage } from './outage.ts';

/** The collector is not there when the service starts; then it comes. */
export async function playUnreachable(stage: Stage, service: ServiceProcess): Promise<void> {
  stage.screen.title('1. The collector is not there');
  await playOutage(stage, {
    collector: 'not there from the start',
    services: [service],
    opens: 'opensUnreachable',
    closes: 'closesUnreachable',
    async begin() {
      await service.ask('resume');
      stage.say('the service makes spans');
    },
    async end() {
      await stage.startCollector();
      stage.say(`the collector is started, as process ${stage.collector.pid}`);
    },
  });
}
