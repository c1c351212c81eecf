import type { CircuitTransition } from '../breaker/transition-listeners.ts';
import type { ExporterLike, ExportResultLike } from '../delivery/exporter-contract.ts';
import { ACCEPTED, FAILED } from '../delivery/exporter-contract.ts';
import { CircuitBreakerExporter } from '../exporter/circuit-breaker-exporter.ts';
import type { CircuitBreakerExporterOptions } from '../exporter/circuit-breaker-exporter-options.ts';
import type { Check } from '../internal/validate-options.ts';
import {
  nonNegativeNumber,
  optional,
  optionsObject,
  positiveNumber,
  readOptions,
  show,
} from '../internal/validate-options.ts';
import { ManualClock } from './manual-clock.ts';

/** The time when the backend is down, in milliseconds since the start of the simulation. At the end it is up again. */
export interface Outage {
  startMillis: number;
  endMillis: number;
}

/** The input of {@link simulateOutage}. */
export interface OutageSimulation {
  /**
   * The exporter's options, except `clock`. `random` is 0.5 unless it is given, so that the same simulation has the same
   * result. @defaultValue {}
   */
  options?: Omit<CircuitBreakerExporterOptions<unknown[]>, 'clock'> | undefined;
  /** The time between two batches of one item, in milliseconds; above 0. The first is at 0. */
  everyMillis: number;
  outage: Outage;
  /** How long an export takes to fail, in milliseconds; one that succeeds takes none. @defaultValue 0 */
  failAfterMillis?: number | undefined;
  /** When the simulation ends, in milliseconds; above 0. */
  untilMillis: number;
}

/** The result of {@link simulateOutage}. */
export interface SimulatedOutage {
  /** Milliseconds from the start of the outage until the circuit opened; `null` if it never did. */
  openedAfterMillis: number | null;
  /** Milliseconds from the end of the outage until the circuit closed; `null` if it never did. */
  closedAfterMillis: number | null;
  /** Probes, failed and successful. */
  probes: number;
  /** Batches that the backend accepted, immediately or later. */
  delivered: number;
  /** Batches that the open circuit rejected. */
  rejected: number;
  /** Batches that were lost. */
  lost: number;
  /** Every state change, in order; `at` in milliseconds since the start of the simulation. */
  timeline: readonly CircuitTransition[];
}

/**
 * Runs the real exporter on a manual clock through an outage. It shows what a policy means for your traffic, in a
 * millisecond of real time.
 *
 * @throws TypeError, RangeError for bad values
 * @example
 * ```ts
 * import { afterCooldown } from 'otel-circuit-breaker';
 * import { simulateOutage } from 'otel-circuit-breaker/testing';
 *
 * const { openedAfterMillis, closedAfterMillis, probes } = simulateOutage({
 *   options: { probePolicy: afterCooldown(30_000) },
 *   everyMillis: 5_000,
 *   outage: { startMillis: 60_000, endMillis: 360_000 },
 *   untilMillis: 600_000,
 * });
 * console.log({ openedAfterMillis, closedAfterMillis, probes });
 * ```
 */
export function simulateOutage(simulation: OutageSimulation): SimulatedOutage {
  const { options, everyMillis, outage, failAfterMillis, untilMillis } = readSimulation(simulation);
  const clock = new ManualClock();
  const timeline: CircuitTransition[] = [];
  const backend: ExporterLike<unknown[]> = {
    export(_batch, resultCallback) {
      if (clock.now() < outage.startMillis || clock.now() >= outage.endMillis) resultCallback(ACCEPTED);
      else failAfter(clock, failAfterMillis, resultCallback);
    },
    async shutdown() {},
  };
  const exporter = new CircuitBreakerExporter(backend, { random: () => 0.5, ...options, clock });
  exporter.breaker.onTransition((transition) => timeline.push(transition));

  // A product, because sums of fractions drift.
  for (let batch = 0; batch * everyMillis < untilMillis; batch++) {
    clock.advance(batch * everyMillis - clock.now());
    exporter.export([batch], () => {});
  }
  clock.advance(untilMillis - clock.now());

  const { probes, exports, delivery } = exporter.snapshot();
  return {
    openedAfterMillis: millisUntil(timeline, 'OPEN', outage.startMillis),
    closedAfterMillis: millisUntil(timeline, 'CLOSED', outage.endMillis),
    probes: probes.success + probes.failure,
    delivered: delivery.delivered.batches,
    rejected: exports.rejected,
    lost: delivery.lost.batches,
    timeline,
  };
}

function failAfter(
  clock: ManualClock,
  millis: number,
  resultCallback: (result: ExportResultLike) => void,
): void {
  const fail = (): void => resultCallback({ code: FAILED, error: new Error('simulated outage') });
  if (millis === 0) fail();
  else clock.schedule(fail, millis);
}

function millisUntil(
  timeline: readonly CircuitTransition[],
  state: 'OPEN' | 'CLOSED',
  sinceMillis: number,
): number | null {
  const reached = timeline.find(({ to, at }) => to === state && at >= sinceMillis);
  return reached === undefined ? null : reached.at - sinceMillis;
}

type CompleteSimulation = {
  options: Omit<CircuitBreakerExporterOptions<unknown[]>, 'clock'>;
  everyMillis: number;
  outage: Outage;
  failAfterMillis: number;
  untilMillis: number;
};

const anOutage: Check<Outage> = (value, label) => {
  const outage = readOptions<Outage>(label, value, {
    startMillis: nonNegativeNumber,
    endMillis: nonNegativeNumber,
  });
  if (outage.endMillis < outage.startMillis) {
    throw new RangeError(
      `${label}: "endMillis" must be at least startMillis, ${outage.startMillis}, got ${outage.endMillis}`,
    );
  }
  return outage;
};

const exporterOptions: Check<CompleteSimulation['options']> = (value, label) => {
  const options = optionsObject(label, value);
  const { clock } = options;
  if (clock !== undefined)
    throw new TypeError(`${label}: "clock" is the simulation's own, got ${show(clock)}`);
  return options;
};

function readSimulation(simulation: OutageSimulation): CompleteSimulation {
  return readOptions<CompleteSimulation>('simulateOutage', simulation, {
    options: exporterOptions,
    everyMillis: positiveNumber,
    outage: anOutage,
    failAfterMillis: optional(nonNegativeNumber, 0),
    untilMillis: positiveNumber,
  });
}
