import type { CircuitState } from 'otel-circuit-breaker';

/** How a service is started; its only argument, as JSON. */
export interface ServiceSettings {
  /** Where the collector receives spans. */
  readonly url: string;
  /** Whether a circuit breaker is around the exporter. */
  readonly guarded: boolean;
  /** The number of its first span; every further one has the next. */
  readonly firstNumber: number;
}

/** The numbers of a service, sent many times a second. */
export interface ServiceReport {
  /** Spans ended. */
  readonly made: number;
  /** Spans that the collector has accepted. */
  readonly delivered: number;
  /** Spans that wait in memory to be sent again. */
  readonly kept: number;
  /** Spans dropped by the full queue of the batch processor, and spans of exports that failed for good. */
  readonly lost: number;
  readonly inFlight: number;
  /** `null` without a circuit breaker. */
  readonly state: CircuitState | null;
  /** Batches that the open circuit has kept back since it opened. */
  readonly attempts: number;
}

/** What a service can be told to do, and what it answers. */
export interface ServiceCommands {
  /** Makes spans from now on; answers the number of the next one. */
  resume: number;
  /** Makes no more spans, and exports those that it has; answers the number of the last one. */
  pause: number;
  redeliver: null;
  health: { readonly httpStatus: number; readonly body: unknown };
  prometheus: string;
}

export type ServiceCommand = keyof ServiceCommands;

/** From the demo to a service. */
export interface ServiceRequest {
  readonly id: number;
  readonly command: ServiceCommand;
}

/** From a service to the demo. */
export type ServiceMessage =
  | { readonly type: 'ready' }
  | { readonly type: 'report'; readonly report: ServiceReport }
  | { readonly type: 'log'; readonly line: string }
  | { readonly type: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly type: 'refused'; readonly id: number; readonly error: string };
