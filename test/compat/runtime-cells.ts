import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict';
import type { ReceiverProcess } from '../support/receiver-process.ts';
import { startReceiver } from '../support/receiver-process.ts';
import { waitFor } from '../support/wait-for.ts';
import type { Cell } from './cell.ts';
import { installApp, installedVersions } from './install-app.ts';
import type { SdkLine } from './lines.ts';
import { lines } from './lines.ts';
import type { RuntimeService, ServiceSnapshot } from './runtime-service.ts';
import { startRuntimeService } from './runtime-service.ts';
import type { Outage } from './runtimes.ts';
import { otherRuntimes } from './runtimes.ts';

const LINE = lines.find(({ name }) => name === 'sdk-2.12') as SdkLine;

/** How an outage is made, how the service works in it, and what the last failure is. */
const OUTAGES: Readonly<
  Record<
    Outage,
    {
      begin(receiver: ReceiverProcess): Promise<unknown>;
      readonly path?: string;
      readonly cause: RegExp;
    }
  >
> = {
  refused: { begin: (receiver) => receiver.kill(), cause: /./ },
  hang: { begin: (receiver) => receiver.mode('hang'), cause: /./ },
  '503': { begin: (receiver) => receiver.mode('status:503'), cause: /^503|retryable status/ },
  'hang, and nobody waits': {
    begin: (receiver) => receiver.mode('hang'),
    path: '/work?wait=no',
    cause: /^ERR_EXPORT_TIMEOUT/,
  },
};

/** The packed library on Bun, Deno and workerd: one service, the same outages. */
export function runtimeCells(): Cell[] {
  return otherRuntimes.map((runtime) => ({
    name: `runtime · ${runtime.name} · npm`,
    async run() {
      const app = await installApp(LINE, 'npm');
      await using receiver = await startReceiver({ protocol: 'http' });
      const start = () => startRuntimeService(runtime, app, receiver.endpoint('traces'));
      await using service = await start();
      await isWell(service, receiver);
      for (const outage of runtime.outages) await livesThrough(service, receiver, outage);
      const { made, version } = service;
      const lastWords = runtime.ends ? `; ${await endings(service, receiver, start)}` : '';
      const { library, api, sdk } = installedVersions(app.folder) as Record<
        'library' | 'api' | 'sdk',
        string
      >;
      return {
        versions: {
          [runtime.label]: version,
          ...(runtime.usesSdk && { sdk, api }),
          library,
          manager: app.manager,
        },
        detail: `${made} spans, none lost: ${runtime.outages.join(', ')}${lastWords}`,
      };
    },
  }));
}

/** The backend is up, and in the end has everything. */
async function isWell(service: RuntimeService, receiver: ReceiverProcess): Promise<void> {
  const settled = ({ state, delivery }: ServiceSnapshot) =>
    state === 'CLOSED' && delivery.kept.items + delivery.inFlight.items === 0;
  // Live spans bring the kept ones along.
  await service.workUntil('the circuit to be closed, and nothing to be kept', settled);
  await waitFor(async () => (await receiver.stats()).distinct === service.made, {
    what: `all ${service.made} spans to arrive`,
  });
  deepStrictEqual(await service.health(), { httpStatus: 200, state: 'CLOSED' });
  const { lost } = (await service.snapshot()).delivery;
  strictEqual(lost.items, 0, 'nothing is lost');
}

/** The circuit opens, says so, rejects, and closes when the backend is back. */
async function livesThrough(
  service: RuntimeService,
  receiver: ReceiverProcess,
  outage: Outage,
): Promise<void> {
  const { begin, path, cause } = OUTAGES[outage];
  await begin(receiver);
  const isOpen = ({ state }: ServiceSnapshot) => state === 'OPEN';
  const { items } = await service.workUntil(`${outage}: the circuit to open`, isOpen, path);
  const { lastFailure } = await service.workUntil(
    `${outage}: batches to be rejected`,
    (now) => now.state === 'OPEN' && now.items.rejected >= items.rejected + 5,
    path,
  );
  ok(cause.test(`${lastFailure?.code}, ${lastFailure?.cause}`), `${outage}: ${JSON.stringify(lastFailure)}`);
  const { httpStatus, state } = await service.health();
  strictEqual(httpStatus, 503);
  ok(state !== 'CLOSED');
  await receiver.restart('healthy');
  await isWell(service, receiver);
}

/** How the process ends, whatever the backend does. */
async function endings(
  healthy: RuntimeService,
  receiver: ReceiverProcess,
  start: () => Promise<RuntimeService>,
): Promise<string> {
  for (let n = 0; n < 5; n += 1) await healthy.work();
  const before = healthy.made;
  const took = [await healthy.end('SIGTERM')];
  strictEqual((await receiver.stats()).distinct, before, 'the last spans arrive at SIGTERM');
  await receiver.kill();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    await using service = await start();
    await service.workUntil(
      'spans to be kept',
      ({ state, delivery }) => state === 'OPEN' && delivery.kept.items > 3,
    );
    took.push(await service.end(signal));
  }
  ok(Math.max(...took) < 3_000, `the ends took ${took} ms`);
  return `ended in ${took.map((millis) => Math.round(millis)).join(', ')} ms`;
}
