import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CircuitCommandsOptions, CreateExporter } from '../../src/testing/circuit-commands.ts';
import { circuitCommands } from '../../src/testing/circuit-commands.ts';
import { BENT } from './planted/bent-exporters.ts';
import type { Bug } from './planted/tiny-exporter.ts';
import { createTiny } from './planted/tiny-exporter.ts';

/** Always the same: what is tested here is the model, and it is to bite each time. */
const seed = 20;

function check(createExporter: CreateExporter, options: CircuitCommandsOptions, numRuns: number) {
  const { commands, setup } = circuitCommands(fc, { ...options, createExporter });
  return fc.check(
    fc.property(commands, (run) => fc.modelRun(setup, run)),
    { seed, numRuns },
  );
}

/** The commands that are left of a counterexample. */
function left(details: { counterexample: unknown[] | null }): string[] {
  const text = String(details.counterexample?.[0]).replace(/ *\/\*.*$/, '');
  return text.split(/,(?=[A-Z])/);
}

describe(`a model that bites (seed ${seed})`, () => {
  it('agrees with a small implementation of the contract in which nothing is planted', () => {
    const details = check(createTiny(), {}, 200);
    expect(fc.defaultReportMessage(details)).toBeUndefined();
  });

  it.each<[Bug, CircuitCommandsOptions]>([
    ['a late result counts', {}],
    ['two probes at once', {}],
    ['a hung probe keeps its place', {}],
    ['a hung probe keeps its place', { exportTimeoutMillis: 0 }],
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
