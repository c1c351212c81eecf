/** The caller of a rejected batch gets this: the circuit was open, and nothing was sent. */
export class CircuitOpenError extends Error {
  override readonly name = 'CircuitOpenError';
  readonly code = 'ERR_CIRCUIT_OPEN';
  /** The breaker's name. */
  readonly circuit: string;

  constructor(circuit: string, message = `circuit ${JSON.stringify(circuit)} is open`) {
    super(message);
    this.circuit = circuit;
    // All batches that are rejected in an outage share one error, and error handlers print its stack for each of them.
    this.stack = `${this.name}: ${message}`;
  }
}

/** An export was not answered within its time-out. It may have arrived nevertheless. */
export class ExportTimeoutError extends Error {
  override readonly name = 'ExportTimeoutError';
  readonly code = 'ERR_EXPORT_TIMEOUT';

  constructor(message: string) {
    super(message);
    this.stack = `${this.name}: ${message}`;
  }
}

/** A batch was given to an exporter after its shutdown. */
export class ExporterShutdownError extends Error {
  override readonly name = 'ExporterShutdownError';
  readonly code = 'ERR_EXPORTER_SHUTDOWN';

  constructor(message = 'the exporter has been shut down') {
    super(message);
    this.stack = `${this.name}: ${message}`;
  }
}
