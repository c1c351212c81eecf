import type { Scenario } from '../scenario.ts';
import { hanging, killed, up } from './up-and-down.ts';

/** In the order of the issue. */
export const scenarios: readonly Scenario[] = [up, killed, hanging];
