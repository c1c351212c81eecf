import { diag } from '@opentelemetry/api';

/** What a spool tells the operator: one line each, most of them once. */
export class SpoolLog {
  readonly #exporter: string;
  readonly #told = new Set<string>();

  /** @param exporter - the exporter's name */
  constructor(exporter: string) {
    this.#exporter = exporter;
  }

  info(message: string): void {
    diag.info(this.line(message));
  }

  warn(message: string): void {
    diag.warn(this.line(message));
  }

  /** @param subject - what the line is about; a second one about the same is not written */
  warnOnce(subject: string, message: string): void {
    if (this.#isNew(subject)) this.warn(message);
  }

  errorOnce(message: string): void {
    if (this.#isNew(message)) diag.error(this.line(message));
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
