import { join } from 'node:path';

/** This folder. */
export const here = import.meta.dirname;
/** The checkout. */
export const root = join(here, '..', '..');
