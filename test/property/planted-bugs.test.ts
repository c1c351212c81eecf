import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterCooldown,
  anyTrip,
  consecutiveFailures,
  everyNthAttempt,
  slowExportRate,
} from '../../src/index.ts';
import type { CircuitCommandsOptions, CreateExporter } from '../../src/testing/circuit-commands.ts';
import { circuitCommands } from '../../src/testing/circuit-commands.ts';
import { BENT } from './planted/bent-exporters.ts';
import type { Bug } from './planted/tiny-exporter.ts';
import { createTiny } from './planted/tiny-exporter.ts';

/** Always the same, because these test the model: it must bite each time. */
const seed = 20;

function check(createExporter: CreateExporter, options: CircuitCommandsOptions, numRuns: number) {
  const { commands, setup } = circuitCommands(fc, { ...options, createExporter });
  return fc.check(
    fc.property(commands, (run) => fc.modelRun(setup, run)),
    { seed, numRuns },
  );
}

/** The commands of the schedule that are left in a counterexample. */
function left(details: { counterexample: unknown[] | null }): string[] {
  const text = String(details.counterexample?.[0]).replace(/ *\/\*.*$/, '');
  return text.split(/,(?=[A-Z])/);
}

describe(`a model that bites (seed ${seed})`, () => {
  const slow = slowExportRate({ slowerThanMillis: 500, window: { exports: 4 }, minimumExports: 2 });
  const tripPolicy = anyTrip(consecutiveFailures(), slow);
  const probePolicy = everyNthAttempt(2);

  it.each<CircuitCommandsOptions>([{}, { exportTimeoutMillis: 0 }, { exportTimeoutMillis: 500 }])(
    'agrees with a small implementation of the contract in which nothing is planted, with %j',
    (options) => {
      const details = check(createTiny(), options, 200);
      expect(fc.defaultReportMessage(details)).toBeUndefined();
    },
  );

  it('agrees with it about slow probes', () => {
    const details = check(createTiny(), { tripPolicy, probePolicy }, 200);
    expect(fc.defaultReportMessage(details)).toBeUndefined();
  });

  it.each<[Bug, CircuitCommandsOptions]>([
    ['a late result counts', {}],
    ['two probes at once', {}],
    ['a hung probe keeps its place', {}],
    ['a hung probe keeps its place', { exportTimeoutMillis: 0 }],
    ['a local throw is a failure', {}],
    ['a slow probe closes', { tripPolicy, probePolicy }],
    ['a probe holds its caller', { probePolicy }],
    ['the time of day is elapsed time', { probePolicy: afterCooldown(5_000) }],
    ['times flicker', {}],
    ['a detector gets no error', { tripPolicy: consecutiveFailures() }],
  ])('catches "%s" with %j, in a few commands', (bug, options) => {
    const details = check(createTiny(bug), options, 1_000);
    expect(details.failed).toBe(true);
    expect(String(details.errorInstance)).toContain('by the contract');
    expect(left(details).length).toBeLessThanOrEqual(10);
  });

  it.each(BENT)('complains about an exporter that %s', (_sin, createExporter, complaint) => {
    const details = check(createExporter, {}, 200);
    expect(String(details.errorInstance)).toContain(complaint);
    expect(left(details).length).toBeLessThanOrEqual(10);
  });
});
