import { describe, expect, it } from 'vitest';
import { CircuitOpenError, ExporterShutdownError, ExportTimeoutError } from '../../../src/internal/errors.ts';

describe('the errors', () => {
  it.each([
    [new CircuitOpenError('otlp'), 'CircuitOpenError', 'ERR_CIRCUIT_OPEN', 'circuit "otlp" is open'],
    [new CircuitOpenError('otlp', 'said so'), 'CircuitOpenError', 'ERR_CIRCUIT_OPEN', 'said so'],
    [new ExportTimeoutError('no answer'), 'ExportTimeoutError', 'ERR_EXPORT_TIMEOUT', 'no answer'],
    [
      new ExporterShutdownError(),
      'ExporterShutdownError',
      'ERR_EXPORTER_SHUTDOWN',
      'the exporter has been shut down',
    ],
    [new ExporterShutdownError('ended'), 'ExporterShutdownError', 'ERR_EXPORTER_SHUTDOWN', 'ended'],
  ])('carry name, code and a message that stands alone: %s', (error, name, code, message) => {
    expect(error).toBeInstanceOf(Error);
    expect({ name: error.name, code: error.code, message: error.message }).toEqual({ name, code, message });
    expect(String(error)).toBe(`${name}: ${message}`);
  });

  it.each([new CircuitOpenError('otlp'), new ExportTimeoutError('no answer'), new ExporterShutdownError()])(
    'have a stack of one line, which says what the message says: %s',
    (error) => {
      expect(error.stack).toBe(`${error.name}: ${error.message}`);
    },
  );

  it.each([new CircuitOpenError('otlp'), new ExportTimeoutError('no answer'), new ExporterShutdownError()])(
    'have no cause, for error handlers print every property: %s',
    (error) => {
      expect(Object.getOwnPropertyNames(error).sort()).toEqual(
        [
          'code',
          'message',
          'name',
          'stack',
          ...(error instanceof CircuitOpenError ? ['circuit'] : []),
        ].sort(),
      );
    },
  );

  it('name the circuit, where it is open', () => {
    expect(new CircuitOpenError('traces "a"')).toMatchObject({
      circuit: 'traces "a"',
      message: 'circuit "traces \\"a\\"" is open',
    });
  });
});
