import { CircuitBreakerExporter } from '../exporter/circuit-breaker-exporter.ts';
import type {
  CircuitBreakerExporterOptions,
  CircuitState,
  CircuitTransition,
  Clock,
  ExportResultLike,
} from '../index.ts';

/** A permit, as far as the commands use it. */
export interface PermitUnderTest {
  readonly probe: boolean;
  succeed(): void;
  invalid(error?: unknown): void;
  fail(error?: unknown): void;
  ignore(error?: unknown): void;
}

/** A breaker, as far as the commands use it. */
interface BreakerUnderTest {
  readonly state: CircuitState;
  tryAcquire(items?: number): PermitUnderTest | undefined;
  forceOpen(): void;
  forceClosed(): void;
  reset(): void;
  snapshot(): object;
  onTransition(listener: (transition: CircuitTransition) => void): () => void;
}

/** What the commands test: a `CircuitBreakerExporter`, or whatever has these parts of it. */
export interface ExporterUnderTest {
  readonly breaker: BreakerUnderTest;
  export(batch: unknown[], resultCallback: (result: ExportResultLike) => void): void;
  snapshot(): object;
}

/** The inner exporter that the commands drive. */
export interface DrivenExporter {
  export(batch: unknown[], resultCallback: (result: never) => void): void;
  shutdown(): Promise<void>;
}

/** The options of the exporter that the model knows. */
export const OPTIONS_UNDER_TEST = [
  'name',
  'tripPolicy',
  'probePolicy',
  'successThreshold',
  'exportTimeoutMillis',
  'reportRejectedAs',
  'classify',
] as const satisfies readonly (keyof CircuitBreakerExporterOptions)[];

/** The options of the exporter under test. */
export type ExporterUnderTestOptions = Pick<
  CircuitBreakerExporterOptions,
  (typeof OPTIONS_UNDER_TEST)[number]
>;

/** What the kit injects. */
export interface InjectedOptions {
  readonly clock: Clock;
  readonly random: () => number;
  readonly onTransition: (transition: CircuitTransition) => void;
  readonly onError: (message: string, error: unknown) => void;
}

/** Makes the thing under test. */
export type CreateExporter = (
  inner: DrivenExporter,
  options: ExporterUnderTestOptions & InjectedOptions,
) => ExporterUnderTest;

/** Makes the exporter of this library. */
export const createRealExporter: CreateExporter = (inner, options) =>
  new CircuitBreakerExporter<unknown[]>(inner, options);
