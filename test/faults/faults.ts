import { setTimeout as sleep } from 'node:timers/promises';
import type { CircuitState } from '../../src/index.ts';
import type { ReceiverMode } from '../support/receiver/mode.ts';
import { waitFor } from '../support/wait-for.ts';
import type { Fault, FaultContext } from './fault.ts';
import { SPANS_A_SECOND } from './protocol.ts';
import type { ServiceProcess } from './service-process.ts';

/** How long an outage goes on once the circuit has opened. */
const OPEN_FOR_MILLIS = 1_500;
/** Idle ticks so frequent that CI need not wait long for them. */
const BRISK_IDLE_MILLIS = 200;

/** What befalls a collector whose service is told to end. */
const ENDINGS: Readonly<Record<string, ReceiverMode | 'dead'>> = {
  'the collector is dead': 'dead',
  'the collector hangs': 'hang',
  'the collector answers 503': 'status:503',
};

/** When a service gets its SIGTERM. */
interface Moment {
  readonly name: string;
  readonly state: CircuitState;
  arrives(service: ServiceProcess): Promise<unknown>;
}

const MOMENTS: readonly Moment[] = [
  { name: 'for half a second', state: 'CLOSED', arrives: () => sleep(500) },
  { name: 'for three seconds', state: 'CLOSED', arrives: () => sleep(3_000) },
  {
    name: 'and one export has failed',
    state: 'CLOSED',
    arrives: (service) =>
      service.until('a failure', ({ snapshot: { state, exports } }) => {
        return state === 'CLOSED' && exports.failure > 0;
      }),
  },
  {
    name: 'and the circuit is OPEN',
    state: 'OPEN',
    arrives: (service) => service.until('OPEN', ({ snapshot }) => snapshot.state === 'OPEN'),
  },
  {
    name: 'and the circuit is HALF_OPEN',
    state: 'HALF_OPEN',
    arrives: (service) => service.until('HALF_OPEN', ({ snapshot }) => snapshot.state === 'HALF_OPEN'),
  },
];
/** One of each state and each ending, for CI. */
const ENDINGS_IN_CI = ['hangs for half', 'is dead and the circuit is OPEN', '503 and the circuit is HALF'];

const endings: readonly Fault[] = Object.entries(ENDINGS).flatMap(([ending, mode]) =>
  MOMENTS.map(({ name: moment, state, arrives }): Fault => {
    const name = `SIGTERM, ${ending} ${moment}`;
    return {
      name,
      inCi: ENDINGS_IN_CI.some((part) => name.includes(part)),
      sigterm: true,
      opens: state === 'CLOSED' ? 'perhaps' : true,
      mayLose: 'shutdown',
      run: async ({ receiver, service }) => {
        if (mode === 'dead') await receiver.kill();
        else await receiver.mode(mode);
        await arrives(service);
        return undefined;
      },
    };
  }),
);

/** Everything that happens, in the order of the table. */
export const faults: readonly Fault[] = [
  {
    name: 'SIGKILLed mid-request, restarted',
    inCi: true,
    run: async ({ receiver, service }) => {
      await receiver.mode('hold');
      await waitFor(async () => (await receiver.stats()).held > 0, { what: 'a request to be in flight' });
      await receiver.kill('SIGKILL');
      await outage(service);
      await receiver.restart('healthy');
      return undefined;
    },
  },
  {
    name: 'SIGSTOP, SIGCONT',
    inCi: true,
    run: async ({ receiver, service }) => {
      await receiver.stop();
      await outage(service);
      receiver.cont();
      return undefined;
    },
  },
  {
    name: 'reset after the request',
    run: (context) => inMode(context, 'reset-after-request'),
  },
  {
    name: 'reset after the headers',
    note: 'the OTLP/HTTP exporter takes a 2xx whose body is cut off for a success: nothing fails, the circuit stays closed',
    opens: false,
    run: async ({ receiver }) => {
      await receiver.mode('reset-after-headers');
      await waitFor(async () => (await receiver.stats()).unanswered.batches >= 10, {
        what: 'ten answers to be cut off',
        timeoutMillis: 20_000,
      });
      await receiver.mode('healthy');
      return undefined;
    },
  },
  { name: '503', inCi: true, run: (context) => inMode(context, 'status:503') },
  { name: '429 with Retry-After', run: (context) => inMode(context, 'status:429:30') },
  {
    name: 'one poisoned span in 1,000 (400)',
    note: 'one poisoned span costs its batch, and nothing else: the circuit stays closed',
    inCi: true,
    service: { poisonEvery: 1_000 },
    mode: 'poison',
    opens: false,
    mayLose: 'invalid',
    run: async ({ service }) => {
      await service.until('3,500 spans to be made', ({ made }) => made >= 3_500);
      return undefined;
    },
  },
  {
    name: 'answers that take 2 s',
    note: 'slow is not down: the circuit stays closed, and two or three batches are under way at a time',
    opens: false,
    run: async ({ receiver, service }) => {
      await receiver.mode('latency:2000');
      const { made } = await service.look();
      await service.until('10 s of it', (look) => look.made >= made + 10 * SPANS_A_SECOND);
      await receiver.mode('healthy');
      return undefined;
    },
  },
  {
    name: 'slow trickle',
    note: 'no timeoutMillis of the OTLP/HTTP exporter bounds an answer that trickles, only exportTimeoutMillis does; what trickled to its end has arrived, and is the duplicate',
    run: (context) => inMode(context, 'slow-trickle:20000'),
  },
  {
    name: 'a name that does not resolve',
    service: { stubLookup: true },
    run: async ({ service }) => {
      await service.resolves(false);
      await outage(service);
      await service.resolves(true);
      return undefined;
    },
  },
  {
    name: 'flapping every second',
    opens: 'perhaps',
    run: async ({ receiver }) => {
      for (let second = 0; second < 20; second += 1) {
        await receiver.mode(second % 2 === 0 ? 'status:503' : 'healthy');
        await sleep(1_000);
      }
      return undefined;
    },
  },
  {
    name: 'outage longer than the budget of items',
    inCi: true,
    service: { retention: { maxItems: 3_000 } },
    mayLose: 'full',
    run: async ({ receiver, service }) => {
      await receiver.mode('status:503');
      const { made } = await service.look();
      await service.until('twice the budget', (look) => look.made >= made + 6_000);
      await outage(service);
      await receiver.mode('healthy');
      return undefined;
    },
  },
  {
    name: 'outage longer than the budget of age',
    service: { retention: { maxAgeMillis: 4_000 } },
    mayLose: 'expired',
    run: async ({ receiver, service }) => {
      await receiver.mode('status:503');
      const { made } = await service.look();
      await service.until('three times the age', (look) => look.made >= made + 12 * SPANS_A_SECOND);
      await outage(service);
      await receiver.mode('healthy');
      return undefined;
    },
  },
  {
    name: 'traffic stops during the outage, brisk ticks',
    note: 'idle ticks close the circuit and deliver what is kept: nothing was exported after the outage; without retention there is no tick, and the circuit stays open until somebody exports',
    inCi: true,
    service: { retention: { idleMillis: BRISK_IDLE_MILLIS } },
    recovers: (variant) => variant !== 'none',
    run: (context) => fallsSilent(context, 60_000),
  },
  {
    name: 'traffic stops during the outage',
    recovers: (variant) => variant !== 'none',
    // A tick each 15 s, for a batch each.
    run: (context) => fallsSilent(context, 600_000),
  },
  ...endings,
];

/** Whether the circuit is closed and everything delivered or given up. */
export function isRecovered({
  snapshot: { state, delivery },
}: Awaited<ReturnType<ServiceProcess['look']>>): boolean {
  return state === 'CLOSED' && delivery.kept.batches === 0;
}

/** Lets the circuit open, and some more time pass. */
async function outage(service: ServiceProcess): Promise<void> {
  await service.until('the circuit to open', ({ snapshot }) => snapshot.transitions['CLOSED->OPEN'] > 0);
  await sleep(OPEN_FOR_MILLIS);
}

async function inMode({ receiver, service }: FaultContext, mode: ReceiverMode): Promise<undefined> {
  await receiver.mode(mode);
  await outage(service);
  await receiver.mode('healthy');
}

async function fallsSilent(
  { receiver, service, variant }: FaultContext,
  timeoutMillis: number,
): Promise<readonly string[] | undefined> {
  await receiver.kill();
  await outage(service);
  await service.traffic(false);
  await service.flush();
  const { offered } = (await service.look()).snapshot.delivery;
  await receiver.restart('healthy');
  if (variant !== 'none') await service.until('the idle ticks to deliver all', isRecovered, timeoutMillis);
  const now = (await service.look()).snapshot.delivery.offered;
  return now.batches === offered.batches ? undefined : ['something was exported after the outage'];
}
