/** What the caller of a rejected batch gets: the circuit was open, nothing was sent. */
export class CircuitOpenError extends Error {
  override readonly name = 'CircuitOpenError';
  readonly code = 'ERR_CIRCUIT_OPEN';
  /** The breaker's name. */
  readonly circuit: string;

  constructor(circuit: string, message = `circuit ${JSON.stringify(circuit)} is open`) {
    super(message);
    this.circuit = circuit;
    // One error serves all batches rejected in an outage: the stack of the first says nothing about the others.
    this.stack = `${this.name}: ${message}`;
  }
}

/** An export had no answer within its time-out. It may have arrived all the same. */
export class ExportTimeoutError extends Error {
  override readonly name = 'ExportTimeoutError';
  readonly code = 'ERR_EXPORT_TIMEOUT';

  constructor(message: string) {
    super(message);
    this.stack = `${this.name}: ${message}`;
  }
}

/** A batch was given to an exporter that had been shut down. */
export class ExporterShutdownError extends Error {
  override readonly name = 'ExporterShutdownError';
  readonly code = 'ERR_EXPORTER_SHUTDOWN';

  constructor(message = 'the exporter has been shut down') {
    super(message);
    this.stack = `${this.name}: ${message}`;
  }
}
