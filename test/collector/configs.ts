/**
 * The Collector configurations of the scenarios, as functions of the place a Collector runs in. They are written to
 * disk as JSON, which the Collector's YAML reader takes.
 *
 * What all of them hold to:
 * - Listeners are on 127.0.0.1, on ports that the harness chose.
 * - The way from the receiver to the file is synchronous (no `batch`, no queue in front of `file`): a 200 says that the
 *   span was handed to the file, so a span missing there after a SIGKILL was lost by the sender, not by the Collector.
 * - The file exporter has `rotation`, not because anything grows: without it, it buffers for `flush_interval` (1 s) and
 *   a SIGKILL takes spans that were acknowledged.
 * - Exporters go by `otlp` and `otlphttp`: the names `otlp_grpc` and `otlp_http` have these as aliases, and a Collector
 *   from before the renaming knows no others.
 */
import type { Certificates } from './certificates.ts';

/** Where one Collector runs: its ports and its folder. The harness makes it, a configuration is made for it. */
export interface Place {
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly healthPort: number;
  /** A third listener of the harness's choosing, where a configuration needs one (`memoryLimited`'s ballast). */
  readonly sparePort: number;
  /** The file exporter's output: one OTLP JSON request a line. */
  readonly outputFile: string;
}

export type CollectorConfig = Readonly<Record<string, unknown>>;
/** A configuration for a place not yet known. */
export type MakeConfig = (place: Place) => CollectorConfig;

interface Receiver {
  readonly auth?: { readonly authenticator: string };
  readonly tls?: { readonly cert_file: string; readonly key_file: string };
  /** In bytes, of the HTTP request's body after decompression. */
  readonly maxRequestBodySize?: number;
  /** In MiB, of one gRPC message (the Collector's own default: 4). */
  readonly maxReceiveMessageMebibytes?: number;
}

interface Parts {
  readonly receiver?: Receiver;
  readonly moreReceivers?: Record<string, unknown>;
  readonly processors?: Record<string, unknown>;
  readonly exporters?: Record<string, unknown>;
  readonly extensions?: Record<string, unknown>;
  readonly pipelines?: Record<string, unknown>;
}

function assemble(place: Place, parts: Parts): CollectorConfig {
  const { auth, tls, maxRequestBodySize, maxReceiveMessageMebibytes } = parts.receiver ?? {};
  const shared = { ...(auth && { auth }), ...(tls && { tls }) };
  const extensions = { health_check: { endpoint: local(place.healthPort) }, ...parts.extensions };
  return {
    receivers: {
      otlp: {
        protocols: {
          http: {
            endpoint: local(place.httpPort),
            ...shared,
            ...(maxRequestBodySize && { max_request_body_size: maxRequestBodySize }),
          },
          grpc: {
            endpoint: local(place.grpcPort),
            ...shared,
            ...(maxReceiveMessageMebibytes && { max_recv_msg_size_mib: maxReceiveMessageMebibytes }),
          },
        },
      },
      ...parts.moreReceivers,
    },
    ...(parts.processors && { processors: parts.processors }),
    exporters: parts.exporters ?? { file: fileExporter(place) },
    extensions,
    service: {
      extensions: Object.keys(extensions),
      pipelines: parts.pipelines ?? { traces: { receivers: ['otlp'], exporters: ['file'] } },
      // Its own metrics would take port 8888 of every Collector at once.
      telemetry: { metrics: { level: 'none' }, logs: { level: 'info' } },
    },
  };
}

function local(port: number): string {
  return `127.0.0.1:${port}`;
}

function fileExporter(place: Place): Record<string, unknown> {
  return { path: place.outputFile, format: 'json', rotation: { max_megabytes: 1_000 } };
}

/** Scenarios 1, 2, 3, 8 and 9: takes what comes and writes it to the file. */
export function plain(place: Place): CollectorConfig {
  return assemble(place, {});
}

/**
 * Scenario 4, `memory_limiter`. A second receiver at `sparePort` (OTLP/HTTP) takes ballast into a queue in front of a
 * dead upstream, unlimited; the memory it holds is what makes the limiter refuse at the first receiver (some 45 requests of 2 MB). The pressure
 * goes when something at `upstreamPort` starts to answer 200: the queue drains, the next check collects the garbage.
 */
export function memoryLimited(upstreamPort: number): MakeConfig {
  return (place) =>
    assemble(place, {
      moreReceivers: { 'otlp/ballast': { protocols: { http: { endpoint: local(place.sparePort) } } } },
      processors: {
        memory_limiter: {
          check_interval: '200ms',
          limit_mib: 100,
          spike_limit_mib: 20,
          // At each check: "the pressure is gone" is to be seen at once, not at the next of Go's own collections.
          min_gc_interval_when_soft_limited: '0s',
          min_gc_interval_when_hard_limited: '0s',
        },
      },
      exporters: {
        file: fileExporter(place),
        'otlphttp/ballast': {
          endpoint: `http://${local(upstreamPort)}`,
          compression: 'none',
          sending_queue: { queue_size: 1_000, num_consumers: 4 },
          retry_on_failure: { initial_interval: '200ms', max_interval: '500ms', max_elapsed_time: '0s' },
        },
      },
      pipelines: {
        traces: { receivers: ['otlp'], processors: ['memory_limiter'], exporters: ['file'] },
        'traces/ballast': { receivers: ['otlp/ballast'], exporters: ['otlphttp/ballast'] },
      },
    });
}

/**
 * Scenario 4, a full sending queue in front of a dead upstream. What the consumers are retrying still counts in
 * `queue_size`. The first batches are taken, into the Collector's memory, acknowledged; they arrive when the upstream
 * does. Small enough to be full in a second of traffic, large enough not to be full of live traffic after that.
 */
export function fullQueue(upstreamGrpcPort: number): MakeConfig {
  return (place) =>
    assemble(place, {
      exporters: {
        otlp: {
          endpoint: local(upstreamGrpcPort),
          tls: { insecure: true },
          timeout: '1s',
          sending_queue: { queue_size: 30, num_consumers: 4, block_on_overflow: false },
          retry_on_failure: { initial_interval: '200ms', max_interval: '500ms', max_elapsed_time: '0s' },
        },
      },
      pipelines: { traces: { receivers: ['otlp'], exporters: ['otlp'] } },
    });
}

/**
 * Scenario 4, the upstream's word passed on: no queue and no retry, so what the upstream answers is the answer.
 * The only way to a retry hint: of itself the Collector gives none, neither for `memory_limiter` nor for a full queue.
 */
export function relay(upstreamGrpcPort: number): MakeConfig {
  return (place) =>
    assemble(place, {
      exporters: {
        otlp: {
          endpoint: local(upstreamGrpcPort),
          tls: { insecure: true },
          timeout: '2s',
          sending_queue: { enabled: false },
          retry_on_failure: { enabled: false },
        },
      },
      pipelines: { traces: { receivers: ['otlp'], exporters: ['otlp'] } },
    });
}

/** Scenario 5: only `Authorization: Bearer <token>` comes in. */
export function bearerToken(token: string): MakeConfig {
  return (place) =>
    assemble(place, {
      receiver: { auth: { authenticator: 'bearertokenauth' } },
      extensions: { bearertokenauth: { token } },
    });
}

/**
 * Scenario 6: a body (HTTP) over `bytes`, a message (gRPC) over `mebibytes`, is refused: with 400, not 413, and with
 * RESOURCE_EXHAUSTED. Keep the body under 1 MB: the Collector answers before it has read the body and closes, so a
 * sender that still has megabytes to write gets ECONNRESET more often than the answer.
 */
export function sizeLimited(bytes: number, mebibytes = 1): MakeConfig {
  return (place) =>
    assemble(place, { receiver: { maxRequestBodySize: bytes, maxReceiveMessageMebibytes: mebibytes } });
}

/** Scenario 7: both receivers speak TLS only. */
export function tlsOnly(certificates: Certificates): MakeConfig {
  return (place) =>
    assemble(place, {
      receiver: { tls: { cert_file: certificates.certFile, key_file: certificates.keyFile } },
    });
}
