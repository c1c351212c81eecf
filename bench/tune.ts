/**
 * What each policy means for a given traffic, in an outage of ten minutes; seconds of virtual time, from `simulateOutage`.
 * Two tables: the probe policies, with what the outage comes to, and the trip policies, with what it takes to open.
 */
import type { ProbePolicy, TripPolicy } from 'otel-circuit-breaker';
import {
  afterCooldown,
  allOf,
  anyOf,
  anyTrip,
  consecutiveFailures,
  defaultProbePolicy,
  everyNthAttempt,
  exponentialBackoff,
  failureRate,
  slowExportRate,
} from 'otel-circuit-breaker';
import { simulateOutage } from 'otel-circuit-breaker/testing';

const MINUTE = 60_000;

const traffics: readonly (readonly [string, number])[] = [
  ['1 a minute', MINUTE],
  ['1 in 5 s', 5_000],
  ['1 a second', 1_000],
  ['10 a second', 100],
  ['100 a second', 10],
];

const probePolicies: readonly (readonly [string, ProbePolicy])[] = [
  ['defaultProbePolicy', defaultProbePolicy],
  ['everyNthAttempt(10)', everyNthAttempt(10)],
  ['everyNthAttempt(10, { first: 1 })', everyNthAttempt(10, { first: 1 })],
  ['afterCooldown(30_000)', afterCooldown(30_000)],
  ["exponentialBackoff({ jitter: 'none' })", exponentialBackoff({ jitter: 'none' })],
  ["exponentialBackoff({ jitter: 'equal' })", exponentialBackoff({ jitter: 'equal' })],
  ['exponentialBackoff()', exponentialBackoff()],
  ['anyOf(everyNthAttempt(10), afterCooldown(30_000))', anyOf(everyNthAttempt(10), afterCooldown(30_000))],
  ['allOf(everyNthAttempt(10), afterCooldown(30_000))', allOf(everyNthAttempt(10), afterCooldown(30_000))],
];

const slow = slowExportRate({ slowerThanMillis: 2_000, window: { exports: 4 }, minimumExports: 2 });
const tripPolicies: readonly (readonly [string, TripPolicy])[] = [
  ['consecutiveFailures(3)', consecutiveFailures(3)],
  ['consecutiveFailures(5)', consecutiveFailures(5)],
  ['failureRate({ window: { exports: 20 } })', failureRate({ window: { exports: 20 } })],
  ['failureRate({ window: { millis: 60_000 } })', failureRate({ window: { millis: 60_000 } })],
  ['slowExportRate({ slowerThanMillis: 2_000, window: { exports: 4 }, minimumExports: 2 })', slow],
  ['anyTrip(consecutiveFailures(3), slowExportRate(…))', anyTrip(consecutiveFailures(3), slow)],
];

console.log('An outage of 10 minutes; times in seconds, from its start and from its end.\n');
console.log(
  '| batches | probe policy | opens after | closes after | requests to the sick backend | batches rejected |',
);
console.log('| --- | --- | ---: | ---: | ---: | ---: |');
for (const [traffic, everyMillis] of traffics) {
  for (const [policy, probePolicy] of probePolicies)
    printRow(traffic, `\`${policy}\``, ...ends(everyMillis, probePolicy));
}

console.log(`
Seconds until the circuit opens in such an outage, and in brackets the requests that the sick backend has got by then. An
export fails at once, as over gRPC, or after 8 s of retries, as over OTLP/HTTP. The pause before the next export begins only
then, as in a \`BatchSpanProcessor\`.
`);
printRow('trip policy', 'fails after', ...traffics.map(([traffic]) => traffic));
printRow('---', '---:', ...traffics.map(() => '---:'));
for (const [policy, tripPolicy] of tripPolicies) {
  for (const failAfterMillis of [0, 8_000]) {
    const opening = traffics.map(([, everyMillis]) => opens(everyMillis, tripPolicy, failAfterMillis));
    printRow(`\`${policy}\``, `${failAfterMillis / 1_000} s`, ...opening);
  }
}

/** What a probe policy makes of an outage: seconds to open and to close, requests, and batches rejected. */
function ends(everyMillis: number, probePolicy: ProbePolicy): (string | number)[] {
  const { openedAfterMillis, closedAfterMillis, lost, rejected } = simulateOutage({
    options: { probePolicy },
    everyMillis,
    outage: { startMillis: 5 * MINUTE, endMillis: 15 * MINUTE },
    untilMillis: 60 * MINUTE,
  });
  return [seconds(openedAfterMillis), seconds(closedAfterMillis), lost - rejected, rejected];
}

/** How long a trip policy looks on, and at how many requests. Windows are full when the outage begins, with an export. */
function opens(pauseMillis: number, tripPolicy: TripPolicy, failAfterMillis: number): string {
  const everyMillis = pauseMillis + failAfterMillis;
  const startMillis = Math.ceil((30 * MINUTE) / everyMillis) * everyMillis;
  const endMillis = startMillis + 10 * MINUTE;
  const { openedAfterMillis } = simulateOutage({
    options: { tripPolicy },
    everyMillis,
    outage: { startMillis, endMillis },
    failAfterMillis,
    untilMillis: endMillis,
  });
  if (openedAfterMillis === null) return 'never';
  const requests = (openedAfterMillis - failAfterMillis) / everyMillis + 1;
  return `${seconds(openedAfterMillis)} (${requests})`;
}

function seconds(millis: number | null): string {
  return millis === null ? 'never' : (millis / 1_000).toFixed(1);
}

function printRow(...cells: (string | number)[]): void {
  console.log(`| ${cells.join(' | ')} |`);
}
