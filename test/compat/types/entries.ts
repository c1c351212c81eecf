/** Every entry of the package, as a module of either kind sees it. */
import type { CircuitTransition, DeliverySnapshot, ExporterSnapshot } from 'otel-circuit-breaker';
import * as main from 'otel-circuit-breaker';
import * as env from 'otel-circuit-breaker/env';
import * as health from 'otel-circuit-breaker/health';
import * as http from 'otel-circuit-breaker/http';
import * as logging from 'otel-circuit-breaker/logging';
import * as metrics from 'otel-circuit-breaker/metrics';
import * as prometheus from 'otel-circuit-breaker/prometheus';
import * as testing from 'otel-circuit-breaker/testing';

const clock = new testing.ManualClock(0);
const inner = new testing.ScriptedExporter<string[]>(['failure', 'success']);
const exporter = new main.CircuitBreakerExporter(inner, {
  ...env.circuitBreakerOptionsFromEnv({}),
  clock,
  tripPolicy: main.anyTrip(
    main.consecutiveFailures(1),
    main.failureRate({ window: { exports: 20 } }),
    main.slowExportRate({ slowerThanMillis: 1_000, window: { millis: 60_000 } }),
  ),
  probePolicy: main.anyOf(
    main.defaultProbePolicy,
    main.allOf(main.afterCooldown(1_000), main.exponentialBackoff({ jitter: 'equal' })),
    ({ attempt, elapsedMillis }) => attempt > 3 && elapsedMillis > 10,
  ),
  classify: (result) => main.classifyResult(result),
  onTransition: ({ from, to, at }: CircuitTransition) => void [from, to, at],
});
const snapshot: ExporterSnapshot = exporter.snapshot();
const delivery: DeliverySnapshot = snapshot.delivery;
const unsubscribe: () => void = logging.logTransitions(exporter.breaker, console);
const { httpStatus, body } = health.renderHealth([exporter, exporter.breaker, snapshot]);
const text: string = prometheus.renderPrometheus(exporter) + prometheus.PROMETHEUS_CONTENT_TYPE;
const nodeHandler = http.createNodeHandler(exporter, { healthPath: '/health' });
const fetchHandler = http.createFetchHandler(() => [exporter]);
// Next.js checks that a route takes a `Request`, not a part of it.
type Taken = Parameters<typeof fetchHandler>[0];
const takesRequest: Taken extends Request ? true : false = true;
const permit: main.Permit | undefined = exporter.breaker.tryAcquire();
permit?.fail(new main.CircuitOpenError('otlp', 'open'));

export const seen = [
  delivery.offered.items,
  unsubscribe,
  httpStatus,
  body,
  text,
  nodeHandler,
  fetchHandler,
  takesRequest,
  metrics.observeCircuitBreakers,
  logging.quietGlobalErrorHandler(),
  testing.simulateOutage,
  testing.circuitCommands,
  main.systemClock.now(),
];
