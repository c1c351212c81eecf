import type { CircuitState } from 'otel-circuit-breaker';

/** How a service is started; its only argument, as JSON. */
export interface ServiceSettings {
  /** Where the collector takes spans. */
  readonly url: string;
  /** What stands between the batch processor and the OTLP exporter. */
  readonly breaker: 'none' | 'plain' | 'retention';
  /** `timeoutMillis` of the OTLP exporter; without it, its own default of 10 s. */
  readonly timeoutMillis?: number;
  /** How often the batch processor exports. */
  readonly scheduledDelayMillis: number;
  /** The number of its first span; every further one has the next. */
  readonly firstNumber: number;
}

/** How far a service has come. It says so many times a second. */
export interface ServiceReport {
  readonly state: CircuitState;
  /** Spans ended. */
  readonly made: number;
  /** Spans that the collector has accepted. */
  readonly delivered: number;
  /** Spans that the open circuit has rejected. */
  readonly rejected: number;
  /** Spans that wait in memory to be sent again. */
  readonly kept: number;
  /** Spans given up. */
  readonly lost: number;
  readonly inFlight: number;
  readonly probes: { readonly success: number; readonly failure: number };
}

/** A state change, and how the circuit stood then. */
export interface TransitionReport {
  readonly from: CircuitState;
  readonly to: CircuitState;
  readonly consecutiveFailures: number;
  /** Of the failure that opened it: its code, else its message. */
  readonly cause: string | null;
  /** Exports that the OTLP exporter has answered so far, and the probes among them. */
  readonly sent: number;
  readonly probes: number;
}

/** What a service can be told to do, and what it answers. */
export interface ServiceCommands {
  /** Makes spans from now on; answers the number of the next one. */
  resume: number;
  /** Makes no more spans, and exports what it has; answers the number of the last one. */
  pause: number;
  health: { readonly httpStatus: number; readonly body: unknown };
  prometheus: string;
  redeliver: null;
  /** Ends the SDK as the README says; answers how long that took. */
  shutdown: { readonly millis: number; readonly outcome: string };
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
  | { readonly type: 'transition'; readonly transition: TransitionReport }
  | { readonly type: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly type: 'refused'; readonly id: number; readonly error: string };
