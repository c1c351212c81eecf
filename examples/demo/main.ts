/**
 * The demo: a real outage of a real OTLP/HTTP receiver, with and without the library.
 *
 *     npm run demo                  # half a minute
 *     npm run demo -- --verbose     # with health, metrics and every log line
 *
 * Ends with exit code 0 only if everything happened that it promises.
 */
import { play } from './acts.ts';
import { Screen } from './screen.ts';
import { Stage } from './stage.ts';
import { broken, printSummary } from './summary.ts';

const verbose = process.argv.includes('--verbose');
const screen = new Screen(process.stdout, process.env);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    screen.live();
    // Ends it, and its processes, as if nobody had listened.
    process.kill(process.pid, signal);
  });
}

const stage = await Stage.set(screen, verbose);
let problems: string[];
try {
  const outcome = await play(stage, verbose);
  await stage.clear();
  printSummary(screen, outcome);
  problems = broken(outcome).map((promise) => `This should be so, and is not: ${promise}.`);
} catch (error) {
  await stage.clear();
  problems = [`The demo broke off: ${error instanceof Error ? error.message : String(error)}`];
}
screen.print('', ...problems);
process.exit(problems.length === 0 ? 0 : 1);
