import { setTimeout as sleep } from 'node:timers/promises';
import type { ReceiverMode } from '../support/receiver/mode.ts';
import { waitFor } from '../support/wait-for.ts';
import type { Fault, FaultContext } from './fault.ts';
import { SPANS_A_SECOND } from './protocol.ts';
import type { ServiceProcess } from './service-process.ts';

/** How long an outage goes on once the circuit has opened: long enough for a probe or two to fail. */
const OPEN_FOR_MILLIS = 1_500;
/** Idle ticks so frequent that a test need not wait long for them. */
const BRISK_IDLE_MILLIS = 200;

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
    name: 'slow trickle',
    note: 'no timeoutMillis of the OTLP/HTTP exporter bounds an answer that trickles, only exportTimeoutMillis does; what trickled to its end has arrived, and is the duplicate',
    run: (context) => inMode(context, 'slow-trickle:5000'),
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
    run: async ({ receiver }) => {
      for (let second = 0; second < 8; second += 1) {
        await receiver.mode(second % 2 === 0 ? 'status:503' : 'healthy');
        await sleep(1_000);
      }
      return undefined;
    },
  },
  {
    name: 'outage longer than the budget of items',
    inCi: true,
    service: { retention: { maxItems: 1_000 } },
    mayLose: 'full',
    run: async ({ receiver, service }) => {
      await receiver.mode('status:503');
      const { made } = await service.look();
      await service.until('four times the budget', (look) => look.made >= made + 4_000);
      await receiver.mode('healthy');
      return undefined;
    },
  },
  {
    name: 'outage longer than the budget of age',
    service: { retention: { maxAgeMillis: 1_500 } },
    mayLose: 'expired',
    run: async ({ receiver, service }) => {
      await receiver.mode('status:503');
      const { made } = await service.look();
      await service.until('three times the age', (look) => look.made >= made + 4.5 * SPANS_A_SECOND);
      await receiver.mode('healthy');
      return undefined;
    },
  },
  {
    name: 'traffic stops during the outage',
    note: 'idle ticks close the circuit and deliver what is kept: nothing was exported after the outage; without retention there is no tick, and the circuit stays open until somebody exports',
    inCi: true,
    service: { retention: { idleMillis: BRISK_IDLE_MILLIS } },
    recovers: (variant) => variant !== 'none',
    run: async ({ receiver, service, variant }) => {
      await receiver.kill();
      await outage(service);
      await service.traffic(false);
      await service.flush();
      const { offered } = (await service.look()).snapshot.delivery;
      await receiver.restart('healthy');
      if (variant !== 'none') await service.until('the idle ticks to deliver all', isRecovered);
      const now = (await service.look()).snapshot.delivery.offered;
      return now.batches === offered.batches ? undefined : ['something was exported after the outage'];
    },
  },
  {
    name: 'SIGTERM while the collector is dead',
    inCi: true,
    sigterm: true,
    mayLose: 'shutdown',
    run: async ({ receiver, service }) => {
      await receiver.kill();
      await outage(service);
      return undefined;
    },
  },
  {
    name: 'SIGTERM while the collector hangs',
    sigterm: true,
    mayLose: 'shutdown',
    run: async ({ receiver, service }) => {
      await receiver.mode('hang');
      await outage(service);
      return undefined;
    },
  },
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
