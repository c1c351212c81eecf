import { deadPort } from '../../test/support/dead-port.ts';
import type { ReceiverProcess } from '../../test/support/receiver-process.ts';
import { startReceiver } from '../../test/support/receiver-process.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import { statusLine, transitionLine } from './lines.ts';
import { Promises } from './promises.ts';
import type { Screen } from './screen.ts';
import type { ServiceProcess } from './service-process.ts';
import { startService } from './service-process.ts';
import type { ServiceSettings } from './service-protocol.ts';
import type { Summary } from './summary.ts';

/** `timeoutMillis` of the services' OTLP exporters, so that what hangs is known to hang soon. */
export const TIMEOUT_MILLIS = 1_000;
/** How often the services' batch processors export: ten attempts are longer than the second that no probe follows another in. */
export const EXPORT_EVERY_MILLIS = 120;

const REDRAW_EVERY_MILLIS = 100;

/** All that the scenes play with. */
export class Stage {
  readonly screen: Screen;
  readonly promises = new Promises();
  readonly summary: Summary = { outages: [], counts: [], shutdowns: [] };
  readonly #begin = performance.now();
  readonly #port: number;
  #freePort: (() => Promise<void>) | undefined;
  #collector: ReceiverProcess | undefined;
  #shown: readonly ServiceProcess[] = [];
  readonly #redraw: NodeJS.Timeout;

  private constructor(screen: Screen, port: number, freePort: () => Promise<void>) {
    this.screen = screen;
    this.#port = port;
    this.#freePort = freePort;
    this.#redraw = setInterval(() => {
      if (this.#shown.length > 0) screen.live(...this.#shown.map(statusLine));
    }, REDRAW_EVERY_MILLIS);
  }

  /** Sets a stage with no collector: its port is taken, so that nobody else can listen on it, and refuses connections. */
  static async set(screen: Screen): Promise<Stage> {
    const { port, release } = await deadPort();
    return new Stage(screen, port, release);
  }

  /** Where the services send spans. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}/v1/traces`;
  }

  /** @throws Error before the first {@link startCollector} */
  get collector(): ReceiverProcess {
    if (this.#collector === undefined) throw new Error('the collector has not been started');
    return this.#collector;
  }

  /** Seconds since the demo began. */
  get seconds(): number {
    return (performance.now() - this.#begin) / 1_000;
  }

  /** Starts the collector for the first time. */
  async startCollector(): Promise<void> {
    await this.#freePort?.();
    this.#freePort = undefined;
    this.#collector = await waitFor(() => startReceiver({ protocol: 'http', port: this.#port }), {
      what: `the collector to listen on port ${this.#port}`,
      intervalMillis: 50,
    });
  }

  /** Starts a service; its state changes are shown under its label. */
  startService(label: string, settings: Omit<ServiceSettings, 'url'>): Promise<ServiceProcess> {
    return startService(label, { url: this.url, ...settings }, (transition) => {
      this.screen.print(transitionLine(this.screen, this.seconds, label, transition));
    });
  }

  /** Says which services the live lines are about. */
  watch(...services: ServiceProcess[]): void {
    this.#shown = services;
    if (services.length === 0) this.screen.live();
  }

  /** Writes down how services stand, for those who see no live lines. */
  note(...services: ServiceProcess[]): void {
    for (const service of services) this.screen.print(`           ${statusLine(service)}`);
  }

  /** Something happens. */
  say(text: string): void {
    this.screen.print(`  ${this.seconds.toFixed(2).padStart(5)} s  ${text}`);
  }

  /** Leaves nothing behind. */
  async clear(): Promise<void> {
    clearInterval(this.#redraw);
    this.watch();
    await this.#collector?.close();
    await this.#freePort?.();
  }
}
