import type { BatchObservableCallback, BatchObservableResult, Meter, Observable } from '@opentelemetry/api';
import type { Checks } from '../internal/validate-options.ts';
import { boolean, objectWith, optional, readOptions } from '../internal/validate-options.ts';
import type { Family } from './families.ts';
import { circuitFamilies, deliveryFamilies } from './families.ts';
import { semconvInstruments } from './semconv.ts';
import type { SnapshotSources } from './sources.ts';
import { gatherCircuits, tellOfSharedNames } from './sources.ts';
import { tellDiag } from './tell-diag.ts';

export type { SnapshotSources } from './sources.ts';

/** Options of `observeCircuitBreakers`. A key with the value `undefined` is an absent key. */
export interface ObserveOptions {
  /**
   * Whether to feed the SDK's own metrics `otel.sdk.exporter.{span,log,metric_data_point}.exported` and `….inflight`, too:
   * with the items that are lost before the inner exporter has seen them, and with those that are kept or in flight.
   * @see https://opentelemetry.io/docs/specs/semconv/otel/sdk-metrics/
   * @defaultValue false
   */
  semconv?: boolean | undefined;
}

interface CompleteObserveOptions {
  readonly semconv: boolean;
}

const OWNER = 'observeCircuitBreakers';
const PREFIX = 'circuit_breaker.';
const NAME = 'circuit_breaker.name';

const optionChecks: Checks<CompleteObserveOptions> = { semconv: optional(boolean, false) };

/** What makes an instrument of each kind. */
const MAKERS = { gauge: 'createObservableGauge', counter: 'createObservableCounter' } as const;

/** A family, and the instrument that shows it. */
interface Instrumented<Seen> {
  readonly family: Family<Seen>;
  readonly instrument: Observable;
}

/**
 * Shows all numbers as observable instruments of OpenTelemetry's metrics API, read at each collection. Call it after the
 * SDK has started: before, the API gives a meter that records nothing, which is one `diag.warn`. Send the metrics through
 * another exporter than the one they are about: an open circuit rejects the news that it is open.
 *
 * Sources need different names. The second source of one name is shown as `name#2`, and `diag.error` is told once.
 *
 * @param meter - makes the instruments
 * @param source - a breaker, an exporter, a snapshot, an array of them, or `undefined` where no exporter is configured
 * @param options - whether to feed the SDK's own metrics
 * @returns unregisters: nothing is observed any more
 * @throws TypeError for anything that is not a meter or not a source, a bad option or an unknown one
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
export function observeCircuitBreakers(
  meter: Meter,
  source: SnapshotSources,
  options?: ObserveOptions,
): () => void {
  objectWith<Meter>(MAKERS.gauge, MAKERS.counter, 'addBatchObservableCallback')(meter, `${OWNER}: meter`);
  const { semconv } = readOptions<CompleteObserveOptions>(OWNER, options, optionChecks);
  const told = new Set<string>();
  const gather = () => {
    const circuits = gatherCircuits(OWNER, source);
    tellOfSharedNames(circuits, told, (message) => tellDiag('error', `${OWNER}: ${message}`));
    return circuits;
  };
  // An error in a source that is there from the start is thrown at the caller; later it could only be logged.
  gather();

  const ofCircuits = instrumented(meter, circuitFamilies);
  const ofDeliveries = instrumented(meter, deliveryFamilies);
  const ofSdk = semconv ? semconvInstruments(meter) : undefined;
  const observe: BatchObservableCallback = (result) => {
    for (const circuit of gather()) {
      const attributes = { [NAME]: circuit.name };
      observeAll(result, ofCircuits, circuit.snapshot, attributes);
      if (circuit.delivery === undefined) continue;
      observeAll(result, ofDeliveries, circuit.delivery, attributes);
      ofSdk?.observe(result, circuit.name, circuit.source, circuit.delivery);
    }
  };
  const instruments = [...ofCircuits, ...ofDeliveries].map(({ instrument }) => instrument);
  if (isNoop(instruments)) {
    tellDiag(
      'warn',
      'observeCircuitBreakers: this meter records nothing; call observeCircuitBreakers after the SDK has started',
    );
  }
  const all = [...instruments, ...(ofSdk?.instruments ?? [])];
  meter.addBatchObservableCallback(observe, all);
  return () => meter.removeBatchObservableCallback(observe, all);
}

/** The API's no-op meter, of whatever copy of the API, gives one and the same object for every gauge. */
function isNoop(instruments: readonly Observable[]): boolean {
  return new Set(instruments).size < instruments.length;
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
