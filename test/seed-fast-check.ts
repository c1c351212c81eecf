import fc from 'fast-check';

/** Whether Stryker runs the tests, again and again. */
const isMutating = process.env['STRYKER_MUTATOR_WORKER'] !== undefined;

// `FC_SEED=… npx vitest run` repeats the histories of a run: fast-check names the seed of each that fails. Every mutant
// meets the same ones.
const seed = process.env['FC_SEED'] || (isMutating ? '1' : undefined);
if (seed !== undefined) {
  if (!Number.isInteger(Number(seed)))
    throw new RangeError(`FC_SEED must be an integer, got ${JSON.stringify(seed)}`);
  fc.configureGlobal({ seed: Number(seed) });
}
