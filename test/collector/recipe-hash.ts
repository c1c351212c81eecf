import { createHash } from 'node:crypto';

/** Part of a cached thing's name: what it was made from, so that a change there makes another one. */
export function recipeHash(recipe: string): string {
  return createHash('sha256').update(recipe).digest('hex').slice(0, 12);
}
