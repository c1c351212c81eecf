import { diag } from '@opentelemetry/api';

/** Takes the lines of a spool. */
export interface SpoolLogger {
  error(message: string): void;
  warn(message: string): void;
  info(message: string): void;
}

/** What a spool tells the operator: one line each, most of them once. */
export class SpoolLog {
  readonly #exporter: string;
  readonly #logger: SpoolLogger;
  readonly #told = new Set<string>();

  /** @param exporter - the exporter's name */
  constructor(exporter: string, logger: SpoolLogger = diag) {
    this.#exporter = exporter;
    this.#logger = logger;
  }

  info(message: string): void {
    this.#logger.info(this.line(message));
  }

  warn(message: string): void {
    this.#logger.warn(this.line(message));
  }

  /** @param subject - what the line is about; a second one about the same is not written */
  warnOnce(subject: string, message: string): void {
    if (this.#isNew(subject)) this.warn(message);
  }

  errorOnce(message: string): void {
    if (this.#isNew(message)) this.#logger.error(this.line(message));
  }

  line(message: string): string {
    return `disk store of exporter ${JSON.stringify(this.#exporter)}: ${message}`;
  }

  #isNew(subject: string): boolean {
    if (this.#told.has(subject)) return false;
    this.#told.add(subject);
    return true;
  }
}
