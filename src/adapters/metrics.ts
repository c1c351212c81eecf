import type { BatchObservableCallback, BatchObservableResult, Meter, Observable } from '@opentelemetry/api';
import { objectWith } from '../internal/validate-options.ts';
import type { Family } from './families.ts';
import { circuitFamilies, deliveryFamilies } from './families.ts';
import type { SnapshotSources } from './sources.ts';
import { gatherCircuits, refuseDuplicateNames } from './sources.ts';

export type { SnapshotSources } from './sources.ts';

const PREFIX = 'otel.circuit_breaker.';
const BREAKER_NAME = 'otel.circuit_breaker.name';
const EXPORTER_NAME = 'otel.circuit_breaker.exporter';

/** What makes an instrument of each kind. */
const MAKERS = { gauge: 'createObservableGauge', counter: 'createObservableCounter' } as const;

/** A family, and the instrument that shows it. */
interface Instrumented<Seen> {
  readonly family: Family<Seen>;
  readonly instrument: Observable;
}

/**
 * Shows all numbers as observable instruments of OpenTelemetry's metrics API, read at each collection. Send them
 * through another exporter than the one they are about: what an open circuit rejects cannot tell that it is open.
 *
 * @param meter - where the instruments are made
 * @param source - a breaker, an exporter, a snapshot, an array of them, or `undefined` where no exporter is configured
 * @returns unregisters: nothing is observed any more
 * @throws TypeError for what is no meter or no source, for two breakers of one name, and for two exporters of one name on
 * one breaker
 * @example
 * ```ts
 * import { metrics } from '@opentelemetry/api';
 * import { CircuitBreaker } from 'otel-circuit-breaker';
 * import { observeCircuitBreakers } from 'otel-circuit-breaker/metrics';
 *
 * const breaker = new CircuitBreaker({ name: 'collector' });
 * const unregister = observeCircuitBreakers(metrics.getMeter('telemetry'), breaker);
 * unregister();
 * ```
 */
export function observeCircuitBreakers(meter: Meter, source: SnapshotSources): () => void {
  const owner = 'observeCircuitBreakers';
  objectWith<Meter>(MAKERS.gauge, MAKERS.counter, 'addBatchObservableCallback')(meter, `${owner}: meter`);
  const gather = () => {
    const circuits = gatherCircuits(owner, source);
    refuseDuplicateNames(owner, circuits);
    return circuits;
  };
  // What is wrong from the start is said to the caller; later it could only be logged.
  gather();

  const ofCircuits = instrumented(meter, circuitFamilies);
  const ofDeliveries = instrumented(meter, deliveryFamilies);
  const observe: BatchObservableCallback = (result) => {
    for (const { snapshot, deliveries } of gather()) {
      const attributes = { [BREAKER_NAME]: snapshot.name };
      observeAll(result, ofCircuits, snapshot, attributes);
      for (const delivery of deliveries) {
        observeAll(result, ofDeliveries, delivery, { ...attributes, [EXPORTER_NAME]: delivery.exporter });
      }
    }
  };
  const instruments = [...ofCircuits, ...ofDeliveries].map(({ instrument }) => instrument);
  meter.addBatchObservableCallback(observe, instruments);
  return () => meter.removeBatchObservableCallback(observe, instruments);
}

function instrumented<Seen>(meter: Meter, families: readonly Family<Seen>[]): readonly Instrumented<Seen>[] {
  return families.flatMap((family) => {
    const { otel, kind, unit, help } = family;
    if (otel === undefined) return [];
    return [{ family, instrument: meter[MAKERS[kind]](PREFIX + otel, { description: help, unit }) }];
  });
}

function observeAll<Seen>(
  result: BatchObservableResult,
  all: readonly Instrumented<Seen>[],
  seen: Seen,
  attributes: Readonly<Record<string, string>>,
): void {
  for (const { family, instrument } of all) {
    for (const { labels, value } of family.read(seen)) {
      result.observe(instrument, value, { ...attributes, ...labels });
    }
  }
}
