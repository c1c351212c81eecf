import type { ServiceProcess } from '../service-process.ts';
import type { Stage } from '../stage.ts';
import type { Shutdown } from '../summary.ts';

/** How often these two export: the circuit opens within a second, and no probe is due before they are shut down. */
const EXPORT_EVERY_MILLIS = 300;

/** Two services with the exporter's own settings. */
export interface ShutdownPair {
  readonly bare: ServiceProcess;
  readonly guarded: ServiceProcess;
}

/** Starts them; they make no spans yet. */
export async function startShutdownPair(stage: Stage): Promise<ShutdownPair> {
  const settings = { scheduledDelayMillis: EXPORT_EVERY_MILLIS };
  const [bare, guarded] = await Promise.all([
    stage.startService('without the breaker', { ...settings, breaker: 'none', firstNumber: 2_000_001 }),
    stage.startService('with the breaker', { ...settings, breaker: 'plain', firstNumber: 3_000_001 }),
  ]);
  return { bare, guarded };
}

/** Two services are shut down while the collector is dead: one without the breaker, one with an open circuit. */
export async function playShutdown(stage: Stage, { bare, guarded }: ShutdownPair): Promise<void> {
  const { collector, promises, screen, summary } = stage;
  screen.title('4. shutdown() with a dead collector, without the breaker and with it');
  stage.say(
    "both with the exporter's default settings (10 s time-out); answers of 500 open the circuit quickly",
  );
  await collector.mode('status:500');
  await Promise.all([bare.ask('resume'), guarded.ask('resume')]);
  await guarded.until('the circuit to open', ({ state }) => state === 'OPEN');
  await collector.kill('SIGKILL');
  stage.say('the collector is killed, and both are told to shut down');
  const shutDown = async (service: ServiceProcess): Promise<Shutdown> => {
    const { millis, outcome } = await service.ask('shutdown', 20_000);
    stage.say(`${service.label}: shut down in ${(millis / 1_000).toFixed(2)} s; sdk.shutdown() ${outcome}`);
    return { service: service.label, millis, outcome };
  };
  const [slow, fast] = await Promise.all([shutDown(bare), shutDown(guarded)]);
  summary.shutdowns.push(slow, fast);
  promises.see('shutsDownSlow', slow.millis > 5_000);
  promises.see('shutsDownFast', fast.millis < 250);
}
