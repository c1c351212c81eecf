/**
 * What each probe policy means for a given traffic: prints time to open and to close, requests sent to the sick backend,
 * and batches rejected, for an outage of ten minutes. Seconds of virtual time, from `simulateOutage`.
 */
import type { ProbePolicy } from 'otel-circuit-breaker';
import { afterCooldown, defaultProbePolicy, everyNthAttempt, exponentialBackoff } from 'otel-circuit-breaker';
import { simulateOutage } from 'otel-circuit-breaker/testing';

const MINUTE = 60_000;

const traffics: readonly (readonly [string, number])[] = [
  ['1 a minute', MINUTE],
  ['1 in 5 s', 5_000],
  ['1 a second', 1_000],
  ['10 a second', 100],
  ['100 a second', 10],
];

const policies: readonly (readonly [string, ProbePolicy])[] = [
  ['defaultProbePolicy', defaultProbePolicy],
  ['everyNthAttempt(10)', everyNthAttempt(10)],
  ['everyNthAttempt(10, { first: 1 })', everyNthAttempt(10, { first: 1 })],
  ['afterCooldown(30_000)', afterCooldown(30_000)],
  ["exponentialBackoff({ jitter: 'none' })", exponentialBackoff({ jitter: 'none' })],
  ["exponentialBackoff({ jitter: 'equal' })", exponentialBackoff({ jitter: 'equal' })],
  ['exponentialBackoff()', exponentialBackoff()],
];

const seconds = (millis: number | null): string => (millis === null ? 'never' : (millis / 1_000).toFixed(1));

const rows = traffics.flatMap(([traffic, everyMillis]) =>
  policies.map(([policy, probePolicy]) => {
    const outage = { startMillis: 5 * MINUTE, endMillis: 15 * MINUTE };
    const result = simulateOutage({
      options: { probePolicy },
      everyMillis,
      outage,
      untilMillis: 60 * MINUTE,
    });
    const failed = result.lost - result.rejected;
    return {
      traffic,
      policy,
      opened: seconds(result.openedAfterMillis),
      closed: seconds(result.closedAfterMillis),
      failed,
      rejected: result.rejected,
    };
  }),
);

console.log('An outage of 10 minutes; times in seconds, from its start and from its end.\n');
console.log(
  '| batches | probe policy | opens after | closes after | requests to the sick backend | batches rejected |',
);
console.log('| --- | --- | ---: | ---: | ---: | ---: |');
for (const { traffic, policy, opened, closed, failed, rejected } of rows) {
  console.log(`| ${traffic} | \`${policy}\` | ${opened} | ${closed} | ${failed} | ${rejected} |`);
}
