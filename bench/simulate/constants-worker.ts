/** Runs all worlds with the constants of `workerData`, and answers with what was seen. */
import { parentPort, workerData } from 'node:worker_threads';
// Before all that imports the library.
import { allReplaced } from './other-constants.ts';

const { experience, WORLDS } = await import('./hand-over-world.ts');
allReplaced();
const { handOverMillis, seeds } = workerData as { handOverMillis: number; seeds: number };
parentPort?.postMessage(
  Object.fromEntries(WORLDS.map((world) => [world, experience(world, handOverMillis, seeds)])),
);
