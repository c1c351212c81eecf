import type { ProbePolicy, RetentionOptions } from 'otel-circuit-breaker';
import { CircuitBreakerExporter } from 'otel-circuit-breaker';
import type { Answer, Cause } from './collector.ts';
import { CAUSES, SimulatedCollector } from './collector.ts';
import { EventClock } from './event-clock.ts';
import type { FleetKind } from './fleet-kinds.ts';
import { FLEET_KINDS } from './fleet-kinds.ts';
import type { Protocol } from './otlp-like-exporter.ts';
import { OtlpLikeExporter } from './otlp-like-exporter.ts';
import { seededRandom } from './seeded-random.ts';
import { SimulatedService } from './simulated-service.ts';

/** How much of the usual load the collector can bear. */
export const CAPACITY_TIMES_STEADY = 3;

/** What stands between the services and their exporters; `undefined`: nothing. */
export interface Wrapping {
  readonly probePolicy?: ProbePolicy | undefined;
  readonly retention?: RetentionOptions<unknown> | undefined;
}

/** How the collector fails: it refuses, and the exporter retries for 8 s or gives up at once; or it never answers. */
export type Failure = 'http' | 'grpc' | 'hang';

export interface FleetOptions {
  readonly kind: FleetKind;
  readonly services: number;
  readonly failure: Failure;
  readonly wrapping: Wrapping | undefined;
  readonly outageSeconds: number;
  readonly seed: number;
}

/** What one outage came to. Loads are multiples of the usual one, times seconds from the end of the outage. */
export interface FleetResult {
  /** Share of the fleet whose circuit was not closed at the end of the outage. */
  readonly openShare: number;
  readonly loadDuring: number;
  /** The busiest second after. */
  readonly peakAfter: number;
  /** Which second that was. */
  readonly peakAt: number;
  /** What that second was made of. */
  readonly peakCauses: Readonly<Record<Cause, number>>;
  /** Until that share was closed again for good; of the bare exporter: had delivered again. `Infinity`: not in time. */
  readonly closed50: number;
  readonly closed99: number;
  readonly closed100: number;
  /** In spans, as a share of those made in the outage. */
  readonly lostDuring: number;
  /** Of these, by the processors' queues. */
  readonly droppedDuring: number;
  /** In seconds of the whole fleet's traffic. */
  readonly lostAfter: number;
  readonly keptAtTheEnd: number;
  /** Load second by second, from the start. */
  readonly load: readonly number[];
  /** When each service had closed, sorted. */
  readonly closedAt: readonly number[];
  readonly wallMillis: number;
}

const ANSWERS: Readonly<Record<Failure, Answer>> = { http: 'refused', grpc: 'refused', hang: 'hangs' };
const PROTOCOLS: Readonly<Record<Failure, Protocol>> = { http: 'http', grpc: 'grpc', hang: 'http' };

/** Runs a fleet of real exporters through one outage, in virtual time. */
export function runFleet(options: FleetOptions): FleetResult {
  const { kind, services, failure, wrapping, outageSeconds, seed } = options;
  const startedAt = performance.now();
  const random = seededRandom(seed);
  const clock = new EventClock();
  const { warmUpSeconds, afterSeconds, trafficOf } = FLEET_KINDS[kind];
  const traffics = Array.from({ length: services }, (_, index) => trafficOf(index, services));
  const steady = sum(traffics, (traffic) => traffic.batchesPerSecond);
  const spansASecond = sum(traffics, ({ spansPerSecond }) => spansPerSecond);
  const collector = new SimulatedCollector(clock, steady * CAPACITY_TIMES_STEADY);
  const otlp = new OtlpLikeExporter(clock, collector, PROTOCOLS[failure], random);

  const fleet: SimulatedService[] = [];
  const exporters: CircuitBreakerExporter<unknown>[] = [];
  const lastClosedAt = new Float64Array(services);
  for (const [index, traffic] of traffics.entries()) {
    const exporter = wrapping === undefined ? otlp : wrap(otlp, wrapping, clock, random);
    if (exporter instanceof CircuitBreakerExporter) {
      exporters.push(exporter);
      exporter.breaker.onTransition(({ to, at }) => {
        if (to === 'CLOSED') lastClosedAt[index] = at;
      });
    }
    const service = new SimulatedService(clock, exporter, otlp, traffic);
    service.start(random);
    fleet.push(service);
  }

  const dropped = (): number => sum(fleet, (service) => service.dropped);
  const lost = (): number => {
    if (wrapping === undefined) return dropped() + sum(fleet, (service) => service.failed);
    return dropped() + sum(exporters, (exporter) => exporter.snapshot().delivery.lost.items);
  };
  const outageAt = warmUpSeconds;
  const recoveryAt = outageAt + outageSeconds;
  const endsAt = recoveryAt + afterSeconds;

  clock.runUntil(outageAt * 1_000);
  const [lostBefore, droppedBefore] = [lost(), dropped()];
  collector.answer = ANSWERS[failure];
  clock.runUntil(recoveryAt * 1_000);
  const [lostUntilRecovery, droppedUntilRecovery] = [lost(), dropped()];
  const open = exporters.filter(({ breaker }) => breaker.state !== 'CLOSED').length;
  for (const service of fleet) service.forgetAnswers();
  collector.answer = 'served';
  clock.runUntil(endsAt * 1_000);

  const closedAt = fleet.map((service, index) => {
    if (wrapping === undefined) return secondsAfter(service.firstSuccessAt ?? Number.POSITIVE_INFINITY);
    if (exporters[index]?.breaker.state !== 'CLOSED') return Number.POSITIVE_INFINITY;
    return Math.max(0, secondsAfter(lastClosedAt[index] ?? 0));
  });
  closedAt.sort((a, b) => a - b);
  const load = Array.from(
    { length: endsAt },
    (_, second) => (collector.requestsBySecond[second] ?? 0) / steady,
  );
  const peakAfter = Math.max(...load.slice(recoveryAt));
  const peakSecond = load.indexOf(peakAfter, recoveryAt);
  const peakCauses = CAUSES.map((cause) => [
    cause,
    (collector.causesBySecond[cause][peakSecond] ?? 0) / steady,
  ]);

  return {
    openShare: open / services,
    loadDuring: sum(load.slice(outageAt, recoveryAt), (value) => value) / outageSeconds,
    peakAfter,
    peakAt: peakSecond - recoveryAt,
    peakCauses: Object.fromEntries(peakCauses) as Record<Cause, number>,
    closed50: share(closedAt, 0.5),
    closed99: share(closedAt, 0.99),
    closed100: share(closedAt, 1),
    lostDuring: (lostUntilRecovery - lostBefore) / (spansASecond * outageSeconds),
    droppedDuring: (droppedUntilRecovery - droppedBefore) / (spansASecond * outageSeconds),
    lostAfter: (lost() - lostUntilRecovery) / spansASecond,
    keptAtTheEnd: sum(exporters, (exporter) => exporter.snapshot().delivery.kept.items) / spansASecond,
    load,
    closedAt,
    wallMillis: performance.now() - startedAt,
  };

  function secondsAfter(atMillis: number): number {
    return atMillis / 1_000 - recoveryAt;
  }
}

function wrap(
  otlp: OtlpLikeExporter,
  { probePolicy, retention }: Wrapping,
  clock: EventClock,
  random: () => number,
): CircuitBreakerExporter<unknown> {
  return new CircuitBreakerExporter<unknown>(otlp, { clock, random, probePolicy, retention });
}

function share(sorted: readonly number[], part: number): number {
  return sorted[Math.ceil(sorted.length * part) - 1] ?? Number.NaN;
}

function sum<T>(list: readonly T[], measured: (element: T) => number): number {
  let total = 0;
  for (const element of list) total += measured(element);
  return total;
}
