/** Where every copy of `@opentelemetry/api` 1.x keeps what the application registered. */
export const API = Symbol.for('opentelemetry.js.api.1');

/** Where `@opentelemetry/api-logs` keeps it, up to 0.223; from API 1.10 on, loggers are in {@link API}, too. */
export const API_LOGS = Symbol.for('io.opentelemetry.js.api.logs');

/** `API_BACKWARDS_COMPATIBILITY_VERSION` of all versions of `api-logs` so far: what its getter wants to be called with. */
const API_LOGS_VERSION = 1;

/** The logger that the application gave to `diag.setLogger()`. */
export interface DiagLogger {
  error(message: string, ...details: unknown[]): void;
  warn(message: string): void;
  info(message: string): void;
  debug(message: string): void;
}

/** What is registered now. The values are somebody else's: anything may be behind them. */
export interface RegisteredApi {
  readonly trace?: unknown;
  readonly metrics?: unknown;
  readonly logs?: unknown;
  readonly diag?: DiagLogger;
}

interface Globals {
  [API]?: RegisteredApi;
  [API_LOGS]?: (version: number) => unknown;
}

/** `undefined` where nothing was registered, or the global was deleted. */
export function registeredApi(): RegisteredApi | undefined {
  return (globalThis as Globals)[API];
}

/** The provider registered with `api-logs`. */
export function registeredLogs(): unknown {
  const getter = (globalThis as Globals)[API_LOGS];
  return typeof getter === 'function' ? getter(API_LOGS_VERSION) : undefined;
}
