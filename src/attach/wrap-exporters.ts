import { isMainThread } from 'node:worker_threads';
import { logTransitions } from '../adapters/logging.ts';
import { registerExporter } from '../adapters/registry.ts';
import type { ExporterLike } from '../delivery/exporter-contract.ts';
import { CircuitBreakerExporter } from '../exporter/circuit-breaker-exporter.ts';
import { watchSignals } from './ending.ts';
import type { ExporterField, Signal } from './find-exporters.ts';
import type { HealthAddress } from './health-server.ts';
import { reasonOf, transitionLogger, warn } from './say.ts';
import type { Settings } from './settings.ts';

/** Puts circuit breakers around exporters, and sees to everything that comes with them. */
export class ExporterWrapper {
  readonly #settings: Settings;
  readonly #logger = transitionLogger(process.env);
  /** By inner exporter: one that is in two processors has one breaker. */
  readonly #wrapped = new WeakMap<object, CircuitBreakerExporter<unknown>>();
  readonly #refused = new WeakSet<object>();
  readonly #counts: Record<Signal, number> = { traces: 0, metrics: 0, logs: 0 };
  #healthIsServed = false;

  constructor(settings: Settings) {
    this.#settings = settings;
    watchSignals();
  }

  /** Never throws: a field that cannot be changed stays as it is, and is one warning. */
  wrap(fields: readonly ExporterField[]): void {
    const names: string[] = [];
    for (const field of fields) {
      try {
        const exporter = this.#wrapped.get(field.exporter) ?? this.#create(field);
        if (!field.replace(exporter)) throw new TypeError('the field is read-only');
        if (this.#wrapped.has(field.exporter)) continue;
        this.#wrapped.set(field.exporter, exporter);
        this.#counts[field.signal]++;
        registerExporter(exporter);
        logTransitions(exporter, this.#logger);
        names.push(`${exporter.breaker.name} (${field.description})`);
      } catch (error) {
        this.#warnOnce(field, error);
      }
    }
    if (names.length > 0) this.#logger.info(`circuit breakers are around ${names.join(', ')}`);
  }

  #create({ exporter, signal }: ExporterField): CircuitBreakerExporter<unknown> {
    const number = this.#counts[signal] + 1;
    const name = this.#settings.prefix + signal + (number === 1 ? '' : `#${number}`);
    const wrapper = new CircuitBreakerExporter<unknown>(exporter, this.#settings.exporterOptions(name));
    this.#serveHealthFrom(wrapper);
    return wrapper;
  }

  /** The first batch opens the port: the application is running then. `npm start`, which inherits the variable, is not it. */
  #serveHealthFrom(exporter: ExporterLike<unknown>): void {
    const { health } = this.#settings;
    if (health === undefined || !isMainThread) return;
    const { export: send } = exporter;
    exporter.export = (batch, resultCallback) => {
      exporter.export = send;
      if (!this.#healthIsServed) void serveHealth(health);
      this.#healthIsServed = true;
      exporter.export(batch, resultCallback);
    };
  }

  #warnOnce({ exporter, description }: ExporterField, error: unknown): void {
    if (this.#refused.has(exporter)) return;
    this.#refused.add(exporter);
    warn(`${description} stays without a circuit breaker: ${reasonOf(error)}`);
  }
}

/** Never rejects. */
async function serveHealth(address: HealthAddress): Promise<void> {
  try {
    (await import('./health-server.ts')).openHealthServer(address);
  } catch (error) {
    warn(`cannot serve health and metrics: ${reasonOf(error)}`);
  }
}
