import { diag } from '@opentelemetry/api';
import type { ProblemListener } from '../internal/report-problem.ts';
import { reportProblem } from '../internal/report-problem.ts';
import type { Check, Checks } from '../internal/validate-options.ts';
import { aFunction, optional, readOptions, show } from '../internal/validate-options.ts';
import { expositionOf } from './exposition.ts';
import { renderHealth } from './health.ts';
import type { CompleteHealthOptions, RenderHealthOptions } from './health-options.ts';
import { healthOptionChecks } from './health-options.ts';
import { PROMETHEUS_CONTENT_TYPE } from './prometheus.ts';
import type { SnapshotSources } from './sources.ts';
import { checkSources, gatherCircuits, tellOfSharedNames } from './sources.ts';

export type { RenderHealthOptions } from './health-options.ts';
export type { SnapshotSources } from './sources.ts';

/** Options of the handlers. A key with the value `undefined` is an absent key. */
export interface TelemetryHandlerOptions extends RenderHealthOptions {
  /**
   * Path of the health report: begins with `/`, in printable ASCII without `?` and `#`; not that of the metrics.
   * @defaultValue '/health/telemetry'
   */
  healthPath?: string | undefined;
  /** Path of the Prometheus text, likewise. @defaultValue '/metrics' */
  metricsPath?: string | undefined;
  /**
   * Receives the error behind an answer of 500, and once, without an error, that sources share a name; is ignored when it
   * throws.
   * @defaultValue diag.error
   */
  onError?: ((message: string, error: unknown) => void) | undefined;
}

/** Sources, or a function that is asked for them at each request. */
export type HandlerSource = SnapshotSources | (() => SnapshotSources);

/** The part of a request that the handler reads: those of `node:http`, `node:http2`, Express and Connect have it. */
export interface NodeRequestLike {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
}

/** The part of a response that the handler uses: those of `node:http`, `node:http2`, Express and Connect have it. */
export interface NodeResponseLike {
  writeHead(status: number, headers: Record<string, string>): unknown;
  end(): unknown;
  end(body: Uint8Array): unknown;
}

/** A handler for `node:http`, Express and Connect. Calls `next`, where there is one, for any path but its two. */
export type NodeHandler = (
  request: NodeRequestLike,
  response: NodeResponseLike,
  next?: (error?: unknown) => void,
) => void;

/**
 * `Request` of fetch: Next.js checks that a route takes exactly that. These declarations name no global type, so that
 * they compile in projects that have neither `lib.dom` nor `@types/node`; there it is the part that the handler reads.
 */
export type FetchRequest = typeof globalThis extends { Request: { prototype: infer R } }
  ? R
  : { readonly method: string; readonly url: string };

/** `Response` of fetch, or where there is none, the part of it that matters. */
export type FetchResponse = typeof globalThis extends { Response: { prototype: infer R } }
  ? R
  : { readonly status: number; text(): Promise<string> };

/** A handler for servers in the style of fetch; answers 404 for any path but its two. */
export type FetchHandler = (request: FetchRequest) => FetchResponse;

/**
 * Serves the health report and the Prometheus text over `node:http`, Express and Connect.
 *
 * Answers GET and HEAD on its two paths, 405 to other methods there; calls `next()` for other paths, or answers 404
 * where there is none. An error while rendering is a 500 without detail. Mounted under a path, it sees the rest of the path.
 *
 * @param source - a breaker, an exporter, a snapshot, an array of them, `undefined` where no exporter is configured, or a
 * function that returns one of these, called at each request
 * @param options - paths, and the options of `renderHealth`
 * @throws TypeError for anything that is not a source, a bad option or an unknown one; RangeError for a number out of its range
 * @example
 * ```ts
 * import { createServer } from 'node:http';
 * import { CircuitBreaker } from 'otel-circuit-breaker';
 * import { createNodeHandler } from 'otel-circuit-breaker/http';
 *
 * const handler = createNodeHandler(new CircuitBreaker({ name: 'collector' }));
 * const server = createServer((request, response) => handler(request, response));
 * server.listen(0, '127.0.0.1', () => server.close());
 * ```
 */
export function createNodeHandler(source: HandlerSource, options?: TelemetryHandlerOptions): NodeHandler {
  const service = new TelemetryService('createNodeHandler', source, options);
  return (request, response, next) => {
    const path = pathOf(request.url ?? '/');
    if (next !== undefined && !service.serves(path)) {
      next();
      return;
    }
    const method = request.method ?? 'GET';
    try {
      write(response, service.answer(method, path), method);
    } catch (error) {
      service.report('an answer could not be written', error);
    }
  };
}

/**
 * Serves the health report and the Prometheus text to servers in the style of fetch: Deno, Bun, Hono, workers.
 *
 * Answers GET and HEAD on its two paths, 405 to other methods there, 404 elsewhere. An error while
 * rendering is a 500 without detail.
 *
 * @param source - a breaker, an exporter, a snapshot, an array of them, `undefined` where no exporter is configured, or a
 * function that returns one of these, called at each request
 * @param options - paths, and the options of `renderHealth`
 * @throws TypeError for anything that is not a source, a bad option or an unknown one; RangeError for a number out of its range
 * @example
 * ```ts
 * import { CircuitBreaker } from 'otel-circuit-breaker';
 * import { createFetchHandler } from 'otel-circuit-breaker/http';
 *
 * const handler = createFetchHandler(new CircuitBreaker({ name: 'collector' }));
 * const response = handler(new Request('http://localhost/health/telemetry'));
 * console.log(response.status); // 200
 * ```
 */
export function createFetchHandler(source: HandlerSource, options?: TelemetryHandlerOptions): FetchHandler {
  const service = new TelemetryService('createFetchHandler', source, options);
  return ({ method, url }) => {
    const { status, headers, body } = service.answer(method, pathOf(url));
    return new Response(method === 'HEAD' ? null : body, { status, headers });
  };
}

/** An answer before it is known to which kind of server it goes. */
interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: Uint8Array<ArrayBuffer>;
}

type CompleteHandlerOptions = CompleteHealthOptions & {
  readonly healthPath: string;
  readonly metricsPath: string;
  readonly onError: ProblemListener;
};

const path: Check<string> = (value, label) => {
  if (typeof value !== 'string' || !/^\/[!-~]*$/.test(value) || /[?#]/.test(value)) {
    throw new TypeError(
      `${label} must be a path that begins with "/", in ASCII, without query, got ${show(value)}`,
    );
  }
  return value;
};

const handlerOptionChecks: Checks<CompleteHandlerOptions> = {
  ...healthOptionChecks,
  healthPath: optional(path, '/health/telemetry'),
  metricsPath: optional(path, '/metrics'),
  onError: optional<ProblemListener>(aFunction, (message, error) =>
    error === undefined ? diag.error(message) : diag.error(message, error),
  ),
};

/** The answers of both kinds of handlers. */
class TelemetryService {
  readonly #source: () => SnapshotSources;
  readonly #options: CompleteHandlerOptions;
  /** The names of two sources that `onError` has heard of. */
  readonly #told = new Set<string>();

  constructor(owner: string, source: HandlerSource, options: TelemetryHandlerOptions | undefined) {
    this.#options = readOptions<CompleteHandlerOptions>(owner, options, handlerOptionChecks);
    const { healthPath, metricsPath } = this.#options;
    if (healthPath === metricsPath) {
      throw new TypeError(
        `${owner}: options "healthPath" and "metricsPath" must differ, both are ${show(healthPath)}`,
      );
    }
    if (typeof source !== 'function') checkSources(owner, source);
    this.#source = typeof source === 'function' ? source : () => source;
  }

  serves(path: string): boolean {
    return path === this.#options.healthPath || path === this.#options.metricsPath;
  }

  /** Never throws. */
  answer(method: string, path: string): Answer {
    if (!this.serves(path)) return plainAnswer(404, 'Not Found');
    if (method !== 'GET' && method !== 'HEAD') {
      return plainAnswer(405, 'Method Not Allowed', { Allow: 'GET, HEAD' });
    }
    try {
      return path === this.#options.healthPath ? this.#health() : this.#metrics();
    } catch (error) {
      this.report(`${path} could not be rendered`, error);
      return plainAnswer(500, 'Internal Server Error');
    }
  }

  report(message: string, error: unknown): void {
    reportProblem(this.#options.onError, `otel-circuit-breaker: ${message}`, error);
  }

  #health(): Answer {
    const { openStatus, includeErrorMessages, now } = this.#options;
    const { httpStatus, body } = renderHealth(this.#source(), { openStatus, includeErrorMessages, now });
    return answer(httpStatus, 'application/json; charset=utf-8', JSON.stringify(body));
  }

  #metrics(): Answer {
    const circuits = gatherCircuits('renderPrometheus', this.#source());
    tellOfSharedNames(circuits, this.#told, (message) => this.report(message, undefined));
    return answer(200, PROMETHEUS_CONTENT_TYPE, expositionOf(circuits));
  }
}

function plainAnswer(status: number, text: string, headers?: Record<string, string>): Answer {
  return answer(status, 'text/plain; charset=utf-8', `${text}\n`, headers);
}

function answer(status: number, contentType: string, text: string, headers?: Record<string, string>): Answer {
  const body = new TextEncoder().encode(text);
  return {
    status,
    headers: {
      'Content-Type': contentType,
      'Content-Length': String(body.byteLength),
      'Cache-Control': 'no-store',
      ...headers,
    },
    body,
  };
}

function write(response: NodeResponseLike, { status, headers, body }: Answer, method: string): void {
  response.writeHead(status, headers);
  if (method === 'HEAD') response.end();
  else response.end(body);
}

/** The path of a request target, in origin form (`/metrics?a=b`) or absolute form (`http://host/metrics?a=b`). */
function pathOf(target: string): string {
  const fromPath = target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '');
  const end = fromPath.search(/[?#]/);
  const path = end < 0 ? fromPath : fromPath.slice(0, end);
  return path === '' ? '/' : path;
}
