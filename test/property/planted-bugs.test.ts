import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CircuitCommandsOptions } from '../../src/testing/circuit-commands.ts';
import { circuitCommands } from '../../src/testing/circuit-commands.ts';
import type { Bug } from './planted/tiny-exporter.ts';
import { createTiny } from './planted/tiny-exporter.ts';
import { runs, seed } from './seed.ts';

function check(bug: Bug | undefined, options: CircuitCommandsOptions, numRuns: number) {
  const { commands, setup } = circuitCommands(fc, { ...options, createExporter: createTiny(bug) });
  return fc.check(
    fc.property(commands, (run) => fc.modelRun(setup, run)),
    runs(numRuns),
  );
}

/** The commands that are left of a counterexample. */
function left(details: { counterexample: unknown[] | null }): string[] {
  const text = String(details.counterexample?.[0]).replace(/ *\/\*.*$/, '');
  return text.split(/,(?=[A-Z])/);
}

describe(`a model that bites (FC_SEED=${seed})`, () => {
  it('agrees with a small implementation of the contract in which nothing is planted', () => {
    const details = check(undefined, {}, 200);
    expect(fc.defaultReportMessage(details)).toBeUndefined();
  });

  it.each<[Bug, CircuitCommandsOptions]>([
    ['a late result counts', {}],
    ['two probes at once', {}],
    ['a hung probe keeps its place', {}],
    ['a hung probe keeps its place', { exportTimeoutMillis: 0 }],
  ])('catches "%s" with %j, in a few commands', (bug, options) => {
    const details = check(bug, options, 1_000);
    expect(details.failed).toBe(true);
    expect(String(details.errorInstance)).toContain('by the contract');
    console.log(`${bug}: ${left(details).join(' ')}`);
    expect(left(details).length).toBeLessThanOrEqual(10);
  });
});
