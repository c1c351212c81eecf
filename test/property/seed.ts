/** Whether Stryker runs the tests, again and again. */
const isMutating = process.env['STRYKER_MUTATOR_WORKER'] !== undefined;

/**
 * What every run of the property tests starts from; `FC_SEED=… npx vitest run test/property` repeats one. Each mutant
 * meets the same histories.
 */
export const seed = seedFrom(process.env['FC_SEED'] ?? (isMutating ? '1' : undefined));

console.log(`property tests: FC_SEED=${seed}`);

function seedFrom(given: string | undefined): number {
  if (given === undefined || given === '') return Math.floor(Math.random() * 0x7fff_ffff);
  const number = Number(given);
  if (!Number.isInteger(number))
    throw new RangeError(`FC_SEED must be an integer, got ${JSON.stringify(given)}`);
  return number;
}

/** Options of `fc.assert`: the seed, and this many runs; a fifth of them for each mutant. */
export const runs = (numRuns: number) => ({ seed, numRuns: isMutating ? Math.ceil(numRuns / 5) : numRuns });
