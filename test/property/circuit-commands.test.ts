import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TripDetector } from '../../src/index.ts';
import {
  afterCooldown,
  consecutiveFailures,
  everyNthAttempt,
  failureRate,
  slowExportRate,
} from '../../src/index.ts';
import type { CircuitCommandsOptions } from '../../src/testing/circuit-commands.ts';
import { circuitCommands } from '../../src/testing/circuit-commands.ts';
import { createTiny } from './planted/tiny-exporter.ts';
import { runs } from './runs.ts';

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
      'circuitCommands: unknown option "tripPolity" (3); known options: name, tripPolicy,',
    ],
    [{ clock: {} }, TypeError, 'circuitCommands: unknown option "clock" (an object)'],
    [{ retention: {} }, TypeError, 'circuitCommands: unknown option "retention" (an object)'],
    [{ tripPolicy: 5 }, TypeError, 'option "tripPolicy" must be an object with createDetector(), got 5'],
    [{ probePolicy: 'x' }, TypeError, 'option "probePolicy" must be a function, got "x"'],
    [{ successThreshold: 0 }, RangeError, 'option "successThreshold" must be a positive integer, got 0'],
    [
      { exportTimeoutMillis: -1 },
      RangeError,
      'option "exportTimeoutMillis" must be a finite number of at least 0, got -1',
    ],
    [{ probeTimeoutMillis: 5 }, TypeError, 'circuitCommands: unknown option "probeTimeoutMillis" (5)'],
    [{ recoversWithin: 5 }, TypeError, 'option "recoversWithin": options must be an object, got 5'],
    [
      { recoversWithin: { attempts: 0 } },
      RangeError,
      'circuitCommands: option "recoversWithin": option "attempts" must be a positive integer, got 0',
    ],
    [{ recoversWithin: { millis: 0 } }, RangeError, 'option "millis" must be a finite number above 0, got 0'],
    [{ opensWithin: { failures: 1.5 } }, RangeError, 'option "failures" must be a positive integer, got 1.5'],
    [{ opensWithin: { millis: 5 } }, TypeError, 'unknown option "millis" (5); known options: failures'],
    [{ createExporter: 1 }, TypeError, 'circuitCommands: option "createExporter" must be a function, got 1'],
    [null, TypeError, 'circuitCommands: options must be an object, got null'],
  ])('refuses %j at once', (options, type, message) => {
    const make = () => circuitCommands(fc, options as never);
    expect(make).toThrow(type);
    expect(make).toThrow(message);
  });

  it('makes schedules as long as it is told, and ends each with the same three commands', () => {
    const lengths = (options: Parameters<typeof circuitCommands>[1]) =>
      fc.sample(circuitCommands(fc, options).commands, runs(200)).map((run) => [...run].length - 3);
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

  /** The counterexample of one run after another, if there is one: its commands, and what is wrong. */
  function counterexample(options: CircuitCommandsOptions): { left: string; problem: string } | undefined {
    const { commands, setup } = circuitCommands(fc, options);
    const details = fc.check(
      fc.property(commands, (run) => fc.modelRun(setup, run)),
      runs(20),
    );
    if (!details.failed) return undefined;
    return { left: String(details.counterexample?.[0]), problem: String(details.errorInstance) };
  }

  const slow = (): TripDetector => ({ ...consecutiveFailures().createDetector(), isTooSlow: () => true });

  it.each<[string, CircuitCommandsOptions, string]>([
    [
      'a probe policy that never says yes',
      {
        probePolicy: function stubborn() {
          return false;
        },
      },
      'did not close in 3600000 ms: the probe policy (function stubborn) let none of 1000 attempts through',
    ],
    [
      'a probe policy that says yes too late',
      { probePolicy: everyNthAttempt(11), recoversWithin: { attempts: 10 } },
      'did not close in 3600000 ms: the probe policy let none of 10 attempts through',
    ],
    [
      'a cooldown that is too long',
      { probePolicy: afterCooldown(60_001), recoversWithin: { millis: 60_000 } },
      'did not close in 60000 ms: the probe policy let none of 1000 attempts through',
    ],
    [
      'a trip policy that finds every probe too slow',
      { tripPolicy: { createDetector: slow } },
      'isTooSlow() of the trip policy called probes too slow that took 0 ms',
    ],
    [
      'a threshold that is never reached',
      { successThreshold: 2_000 },
      'probes succeeded, successThreshold is 2000',
    ],
    [
      'a classifier that ignores successes',
      { classify: ({ code }) => (code === 0 ? 'ignored' : 'failure') },
      "classify (function classify) called SUCCESS 'ignored'",
    ],
    [
      'a classifier that takes successes for failures',
      { classify: () => 'failure' },
      "classify (function classify) called SUCCESS 'failure'",
    ],
  ])('finds %s, in a counterexample without needless commands', (_, options, problem) => {
    const found = counterexample(options);
    expect(found?.problem).toContain('the backend has recovered, but the circuit ');
    expect(found?.problem).toContain(problem);
    expect(found?.left.replace(/\/\*.*?\*\//, '')).toMatch(
      /^ *,?Recovers\(within \d+ attempts and \d+ ms\),/,
    );
  });

  it.each<[string, CircuitCommandsOptions, string]>([
    [
      'a trip policy that needs too many failures',
      { tripPolicy: consecutiveFailures(6), opensWithin: { failures: 5 } },
      'the backend failed 5 exports in a row, but the circuit is still CLOSED: the trip policy did not open it',
    ],
    [
      'a trip policy that does not look at failures',
      { tripPolicy: slowExportRate({ slowerThanMillis: 100, window: { exports: 4 } }) },
      'the backend failed 100 exports in a row, but the circuit is still CLOSED: the trip policy did not open it',
    ],
    [
      'a classifier that calls nothing a failure',
      { classify: ({ code }) => (code === 0 ? 'success' : 'ignored') },
      'still CLOSED: classify (function classify) called only 0 of them a failure',
    ],
  ])('finds %s', (_, options, problem) => {
    const found = counterexample(options);
    expect(found?.problem).toContain(problem);
    expect(found?.left).toContain('FailsEveryExport(opens within');
  });

  it.each<[string, CircuitCommandsOptions]>([
    ['the last attempt', { probePolicy: everyNthAttempt(10), recoversWithin: { attempts: 10 } }],
    // A probe of before may hang for 30 s, and is noticed by the next attempt.
    [
      'about the last millisecond',
      { probePolicy: afterCooldown(60_000), recoversWithin: { attempts: 100, millis: 91_000 } },
    ],
    ['the last failure', { tripPolicy: consecutiveFailures(5), opensWithin: { failures: 5 } }],
    [
      'a burst in a short window',
      { tripPolicy: failureRate({ window: { millis: 10 }, minimumExports: 50 }) },
    ],
  ])('is content with a circuit that does it at %s', (_, options) => {
    expect(counterexample(options)).toBeUndefined();
  });
});
