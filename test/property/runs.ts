const isMutating = process.env['STRYKER_MUTATOR_WORKER'] !== undefined;

/** Options of `fc.assert`: this many runs; a fifth of them for each mutant. */
export const runs = (numRuns: number) => ({ numRuns: isMutating ? Math.ceil(numRuns / 5) : numRuns });
