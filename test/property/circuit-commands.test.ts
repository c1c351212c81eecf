import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { circuitCommands } from '../../src/testing/circuit-commands.ts';
import { createTiny } from './planted/tiny-exporter.ts';
import { runs } from './seed.ts';

describe('circuitCommands', () => {
  it.each([
    [{ minCommands: 0 }, RangeError, 'option "minCommands" must be a positive integer, got 0'],
    [{ maxCommands: 1.5 }, RangeError, 'option "maxCommands" must be a positive integer, got 1.5'],
    [{ minCommands: '20' as unknown as number }, TypeError, 'option "minCommands"'],
    [{ minCommands: 30, maxCommands: 29 }, RangeError, 'option "maxCommands" must be at least 30, got 29'],
  ])('refuses %j', (options, type, message) => {
    expect(() => circuitCommands(fc, options)).toThrow(type);
    expect(() => circuitCommands(fc, options)).toThrow(`circuitCommands: ${message}`);
  });

  it.each([
    [
      { tripPolity: 3 },
      TypeError,
      'circuitCommands: unknown option "tripPolity" (3); did you mean "tripPolicy"?',
    ],
    [{ clock: {} }, TypeError, 'circuitCommands: unknown option "clock" (an object)'],
    [{ retention: {} }, TypeError, 'circuitCommands: unknown option "retention" (an object)'],
    [{ tripPolicy: 5 }, TypeError, 'option "tripPolicy" must be an object with createDetector(), got 5'],
    [{ probePolicy: 'x' }, TypeError, 'option "probePolicy" must be a function, got "x"'],
    [{ successThreshold: 0 }, RangeError, 'option "successThreshold" must be a positive integer, got 0'],
    [
      { probeTimeoutMillis: -1 },
      RangeError,
      'option "probeTimeoutMillis" must be a finite number above 0, got -1',
    ],
    [{ createExporter: 1 }, TypeError, 'circuitCommands: option "createExporter" must be a function, got 1'],
    [null, TypeError, 'circuitCommands: options must be an object, got null'],
  ])('refuses %j at once', (options, type, message) => {
    const make = () => circuitCommands(fc, options as never);
    expect(make).toThrow(type);
    expect(make).toThrow(message);
  });

  it('makes runs as long as it is told', () => {
    const lengths = (options: Parameters<typeof circuitCommands>[1]) =>
      fc.sample(circuitCommands(fc, options).commands, runs(200)).map((run) => [...run].length);
    expect(Math.min(...lengths({}))).toBeGreaterThanOrEqual(20);
    expect(Math.max(...lengths({}))).toBeLessThanOrEqual(60);
    expect(Math.min(...lengths({ minCommands: 50 }))).toBeGreaterThanOrEqual(50);
    expect(Math.max(...lengths({ minCommands: 1, maxCommands: 3 }))).toBeLessThanOrEqual(3);
  });

  it('starts each run anew', () => {
    const { setup } = circuitCommands(fc);
    setup().real.exporter.breaker.forceOpen();
    expect(setup().real.exporter.breaker.state).toBe('CLOSED');
  });

  it('says in a counterexample what was done, where it went wrong, and what the contract wants', () => {
    const { commands, setup } = circuitCommands(fc, { createExporter: createTiny('two probes at once') });
    const details = fc.check(
      fc.property(commands, (run) => fc.modelRun(setup, run)),
      runs(1_000),
    );
    expect(String(details.counterexample?.[0])).toMatch(/Export\(\d+ spans?, /);
    expect(String(details.errorInstance)).toMatch(
      /^Error: after command \d+, .+, at \d+ ms:\n(?: {2}.+, by the contract .+\n?)+/,
    );
  });
});
