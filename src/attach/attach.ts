import type { DiskStoreFactory } from '../adapters/env-options.ts';
import { findExporters, staysAsItIs } from './find-exporters.ts';
import { registeredApi } from './registered-api.ts';
import { diskLogger, reasonOf, warn } from './say.ts';
import { watchRegistrations } from './watch-registrations.ts';
import type { ExporterWrapper } from './wrap-exporters.ts';

/** Distributions set up processors late, or delete the API's global and start over. */
const LATER_MILLIS = [1_000, 10_000] as const;

/**
 * Looks for exporters after each registration with the API, once the code that registers has run to its end, and puts
 * circuit breakers around them. Without exporters it loads nothing.
 */
export class Attachment {
  #wrapper: Promise<ExporterWrapper> | undefined;
  #cancel = (): void => {};
  #foundAny = false;
  #complained = false;

  /** Never throws. */
  begin(): void {
    this.#guarded(() => {
      this.#watch();
      this.#scheduleLooks();
    });
  }

  #watch(): void {
    watchRegistrations(() => this.#guarded(() => this.#scheduleLooks()));
  }

  /** None of them keeps the process alive. */
  #scheduleLooks(): void {
    this.#cancel();
    const immediate = setImmediate(() => this.#look());
    immediate.unref();
    const timers = LATER_MILLIS.map((millis) => setTimeout(() => this.#look(millis), millis).unref());
    this.#cancel = () => {
      clearImmediate(immediate);
      for (const timer of timers) clearTimeout(timer);
    };
  }

  #look(afterMillis = 0): void {
    this.#guarded(() => {
      // Whoever deleted the API's global deleted the watch with it.
      this.#watch();
      const { fields, providers } = findExporters();
      this.#foundAny ||= fields.length > 0;
      if (fields.some(({ exporter }) => !staysAsItIs(exporter))) void this.#wrap();
      else if (afterMillis === LATER_MILLIS[1]) this.#complain(providers);
    });
  }

  async #wrap(): Promise<void> {
    try {
      this.#wrapper ??= loadWrapper();
      const wrapper = await this.#wrapper;
      // Again: something may have changed while the library was loading.
      wrapper.wrap(findExporters().fields.filter(({ exporter }) => !staysAsItIs(exporter)));
    } catch (error) {
      this.#failed(error);
    }
  }

  #complain(providers: string): void {
    if (this.#foundAny || this.#complained || registeredApi() === undefined) return;
    this.#complained = true;
    warn(
      `found no exporter to protect (${providers}). If this process exports telemetry, wrap the exporter in ` +
        'code with CircuitBreakerExporter; if it does not, ignore this line or do not attach here',
    );
  }

  #guarded(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#failed(error);
    }
  }

  /** Once: what fails at one look fails at the next. */
  #failed(error: unknown): void {
    if (this.#complained) return;
    this.#complained = true;
    warn(`does nothing, the application is not affected: ${reasonOf(error)}`);
  }
}

async function loadWrapper(): Promise<ExporterWrapper> {
  const [{ ExporterWrapper }, { readSettings }] = await Promise.all([
    import('./wrap-exporters.ts'),
    import('./settings.ts'),
  ]);
  return new ExporterWrapper(await readSettings(process.env, loadDiskStore));
}

async function loadDiskStore(): Promise<DiskStoreFactory> {
  const { DISK_STORE_DEFAULTS, DiskStore } = await import('../disk/disk-store.ts');
  const logger = diskLogger(process.env);
  return ({ directory, maxBytes = DISK_STORE_DEFAULTS.maxBytes }) =>
    new DiskStore({ ...DISK_STORE_DEFAULTS, directory, maxBytes }, { logger });
}
