// Prints as JSON how many bytes a batch of each usual shape holds. Run with `node --expose-gc`.
import { usualBatches } from './usual-batches.ts';

function bytesInUse(): number {
  for (let i = 0; i < 2; i++) globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const measured: Record<string, number> = {};
for (const [shape, make] of Object.entries(usualBatches)) {
  // The first batch pays for compiled code and hidden classes.
  await make();
  const held: unknown[] = [undefined, undefined, undefined, undefined];
  const before = bytesInUse();
  for (const i of held.keys()) held[i] = await make();
  measured[shape] = (bytesInUse() - before) / held.length;
}
console.log(JSON.stringify(measured));
