/** docs/COLLECTOR.md: the table of the last whole run, and what it means. */
import fs from 'node:fs';
import type { Outcome } from './outcome.ts';
export function writeDocument(_o: readonly Outcome[], _r: object): void {
  void fs;
}
