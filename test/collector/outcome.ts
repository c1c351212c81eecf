/** Running one scenario, and what came of it. */

import { within } from '../support/wait-for.ts';
import type { Apps } from './apps.ts';
import type { Row, Scenario } from './scenario.ts';
import { Surroundings } from './scenario.ts';

/** Far above what any of them takes: says what hangs where a wait was forgotten. */
const LONGEST_MILLIS = 240_000;

export interface Outcome {
  readonly scenario: Scenario;
  readonly rows: readonly Row[];
  /** Those of the rows among them. */
  readonly problems: readonly string[];
  readonly evidence: readonly string[];
  readonly millis: number;
}

export async function runScenario(
  scenario: Scenario,
  binary: string,
  apps: Apps,
  folder: string,
  nginx: string | undefined,
): Promise<Outcome> {
  const beganAt = Date.now();
  const here = new Surroundings(binary, apps, folder, nginx);
  let rows: readonly Row[] = [];
  const problems: string[] = [];
  try {
    rows = await within(scenario.run(here), {
      what: `scenario ${scenario.id}`,
      timeoutMillis: LONGEST_MILLIS,
    });
    if (rows.length === 0) problems.push('no rows');
  } catch (error) {
    problems.push((error as Error).stack ?? String(error));
  } finally {
    await here[Symbol.asyncDispose]();
  }
  for (const row of rows)
    for (const problem of row.problems)
      problems.push(`${row.protocol}, SDK ${row.sdk}, ${row.lane}: ${problem}`);
  return { scenario, rows, problems, evidence: here.evidence, millis: Date.now() - beganAt };
}
