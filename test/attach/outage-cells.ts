import type { Cell } from '../compat/cell.ts';
import { cleanEnv } from '../compat/command.ts';
import { nodeVersions } from '../compat/lines.ts';
import { nodeBinary } from '../compat/nodes.ts';
import { missingNumbers } from '../support/receiver/seen.ts';
import type { ReceiverProcess } from '../support/receiver-process.ts';
import { startReceiver } from '../support/receiver-process.ts';
import { waitFor } from '../support/wait-for.ts';
import { OBSERVER } from './install.ts';
import type { LiveApp, Look } from './live.ts';
import { startApp } from './live.ts';
import type { Preparation, SetUp } from './set-ups.ts';
import { setUps } from './set-ups.ts';

/** So that an outage takes seconds; the SIGTERM is tried with the exporters' own defaults. */
const QUICK_EXPORTERS = { OTEL_EXPORTER_OTLP_TIMEOUT: '1500', OTEL_CIRCUIT_BREAKER_COOLDOWN: '300' };
const OFTEN = {
  OTEL_BSP_SCHEDULE_DELAY: '300',
  OTEL_BLRP_SCHEDULE_DELAY: '300',
  OTEL_METRIC_EXPORT_INTERVAL: '400',
  OTEL_METRIC_EXPORT_TIMEOUT: '400',
  OTEL_NODE_RESOURCE_DETECTORS: 'none',
};
/** The end of the distribution's `shutdown()`, once each exporter has worked. */
const LONGEST_SHUTDOWN_MILLIS = 1_500;
/** So many successes make the patience of an exporter; the first of a process can be slow. (ADOT sends logs each 5 s.) */
const WARM_BATCHES = 9;

/** Each set-up lives through an outage, and is ended in another. */
export function outageCells(): Cell[] {
  return setUps.map((setUp) => ({
    name: setUp.name,
    async run() {
      const prepared = await setUp.prepare();
      const outage = await liveThroughOutage(setUp, prepared);
      const sigterm = await endInOutage(setUp, prepared);
      return {
        versions: { node: nodeVersions[setUp.node], ...prepared.versions },
        detail: `${outage}; ${sigterm}`,
      };
    },
  }));
}

async function start(
  setUp: SetUp,
  prepared: Preparation,
  attached: boolean,
  env: NodeJS.ProcessEnv,
): Promise<LiveApp> {
  const { before, attach, after, main, cwd } = prepared;
  return startApp({
    node: await nodeBinary(setUp.node),
    args: ['--require', OBSERVER, ...before, ...(attached ? attach : []), ...after, main],
    cwd,
    env: { ...cleanEnv(), ...OFTEN, ...env },
  });
}

function environment(setUp: SetUp, receiver: ReceiverProcess): NodeJS.ProcessEnv {
  return { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...setUp.env?.(receiver.url) };
}

async function liveThroughOutage(setUp: SetUp, prepared: Preparation): Promise<string> {
  await using receiver = await startReceiver({ protocol: 'http' });
  await using app = await start(setUp, prepared, true, {
    ...environment(setUp, receiver),
    ...QUICK_EXPORTERS,
  });
  await expectExporters(app, setUp);
  const traffic = new Traffic(app);

  traffic.start();
  await waitFor(async () => (await receiver.stats()).spans > 0, {
    what: 'spans while healthy',
    timeoutMillis: 20_000,
  });
  await receiver.kill();
  const killed = performance.now();
  await app.until('a circuit of traces to open', ({ exporters }) => exporters.some(isOpenTraces));
  const opened = performance.now() - killed;
  await receiver.restart();
  const restarted = performance.now();
  await app.until('all circuits to be closed, with nothing kept', isRecovered);
  const closed = performance.now() - restarted;
  await traffic.stop();

  const total = traffic.last;
  const withLogs = setUp.exporters.includes('logs');
  const missing = async (): Promise<number> => {
    const { seen, seenLogs } = await receiver.stats();
    return missingNumbers(seen, 1, total).length + (withLogs ? missingNumbers(seenLogs, 1, total).length : 0);
  };
  await waitFor(async () => (await missing()) === 0, {
    what: `all ${total} numbers to arrive`,
    timeoutMillis: 15_000,
  }).catch(async (error: Error) => {
    throw new Error(`${error.message}; ${await missing()} are missing; ${JSON.stringify(await app.look())}`);
  });
  const lost = (await app.look()).exporters.filter(({ delivery }) => delivery.lost.items > 0);
  if (lost.length > 0) throw new Error(`items were lost: ${JSON.stringify(lost)}`);
  const { names } = await receiver.stats();
  if (names['POST'] !== undefined)
    throw new Error(`${names['POST']} spans are of what was sent to the receiver`);
  return `${setUp.exporters.join(', ')}; opened after ${seconds(opened)}, closed after ${seconds(closed)}; ${total} of ${total} spans${withLogs ? ' and logs' : ''}`;
}

async function endInOutage(setUp: SetUp, prepared: Preparation): Promise<string> {
  if (setUp.atSigterm === 'nothing') return 'no shutdown at SIGTERM';
  const [attached, bare] = await Promise.all([
    quickestSigterm(setUp, prepared),
    sigtermMillis(setUp, prepared, false),
  ]);
  if (attached > LONGEST_SHUTDOWN_MILLIS) {
    throw new Error(`SIGTERM took ${attached} ms (${bare} ms without attach)`);
  }
  if (setUp.atSigterm !== 'gives up by itself' && bare < setUp.atSigterm.bareMillis) {
    throw new Error(`without attach, SIGTERM took only ${bare} ms: the cell proves nothing`);
  }
  return `SIGTERM ${seconds(attached)}, without attach ${seconds(bare)}`;
}

/** Of at most three: on a machine that is busy with other cells, answers are slow, and an exporter patient for longer. */
async function quickestSigterm(setUp: SetUp, prepared: Preparation): Promise<number> {
  let quickest = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < 3 && quickest > LONGEST_SHUTDOWN_MILLIS; tries++) {
    quickest = Math.min(quickest, await sigtermMillis(setUp, prepared, true));
  }
  return quickest;
}

/** From SIGTERM to the end of the distribution's `shutdown()`, two seconds into an outage, with the exporters' defaults. */
async function sigtermMillis(setUp: SetUp, prepared: Preparation, attached: boolean): Promise<number> {
  await using receiver = await startReceiver({ protocol: 'http' });
  await using app = await start(setUp, prepared, attached, {
    ...environment(setUp, receiver),
    OBSERVER_EXITS: '1',
  });
  await app.until('the providers', ({ providers }) => providers > 0);
  if (attached) await expectExporters(app, setUp);
  const traffic = new Traffic(app);
  traffic.start();
  if (attached) {
    await app.until('every exporter to have worked for a while', ({ exporters }) =>
      exporters.every(
        ({ name, delivery }) => delivery.delivered.batches >= (name === 'logs' ? 1 : WARM_BATCHES),
      ),
    );
  } else {
    await waitFor(async () => (await receiver.stats()).batches >= WARM_BATCHES, {
      what: 'batches while healthy',
      timeoutMillis: 20_000,
    });
  }
  await receiver.kill();
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  await traffic.stop();
  const { shutdownMillis, exitMillis } = await app.terminate();
  // A distribution that ends the process itself is done with its shutdown then.
  return shutdownMillis ?? exitMillis;
}

async function expectExporters(app: LiveApp, { exporters }: SetUp): Promise<void> {
  const found = ({ exporters: seen }: Look): string => seen.map(({ name }) => name).join();
  await app.until(`the exporters ${exporters.join()}`, (look) => found(look) === exporters.join(), 15_000);
}

function isOpenTraces({ name, state }: Look['exporters'][number]): boolean {
  return name.startsWith('traces') && state === 'OPEN';
}

function isRecovered({ exporters }: Look): boolean {
  return exporters.every(({ state, delivery }) => state === 'CLOSED' && delivery.kept.items === 0);
}

function seconds(millis: number): string {
  return `${(millis / 1_000).toFixed(1)} s`;
}

/** Ten spans and log records each 200 ms, with numbers from 1 on. */
class Traffic {
  readonly #app: LiveApp;
  #timer: NodeJS.Timeout | undefined;
  #emitting: Promise<void> = Promise.resolve();
  last = 0;

  constructor(app: LiveApp) {
    this.#app = app;
  }

  start(): void {
    this.#timer = setInterval(() => {
      const first = this.last + 1;
      this.last += 10;
      const last = this.last;
      this.#emitting = this.#emitting.then(() => this.#app.emit(first, last));
      this.#emitting.catch(() => {});
    }, 200);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#emitting;
  }
}
