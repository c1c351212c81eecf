import type { ProbePolicy, RetentionOptions, TripPolicy } from '../../../src/index.ts';
import {
  afterCooldown,
  anyTrip,
  consecutiveFailures,
  defaultProbePolicy,
  everyNthAttempt,
  exponentialBackoff,
  failureRate,
  slowExportRate,
} from '../../../src/index.ts';
import type { Settings } from './settings.ts';

/** The options of the exporter that the settings mean; the fallback is the simulation's own. */
export interface ChosenOptions {
  readonly tripPolicy: TripPolicy;
  readonly probePolicy: ProbePolicy;
  readonly retention: Pick<RetentionOptions, 'maxItems' | 'maxBytes' | 'pace'> | undefined;
}

export function exporterOptions(settings: Settings): ChosenOptions {
  const { retention, memory, items, pace } = settings;
  return {
    tripPolicy: tripPolicy(settings),
    probePolicy: probePolicy(settings),
    retention: retention
      ? { maxBytes: memory * 1_024 * 1_024, pace, ...(items > 0 && { maxItems: items }) }
      : undefined,
  };
}

function tripPolicy(settings: Settings): TripPolicy {
  const { failures, percent, window, minimum, slower } = settings;
  const rate = { threshold: percent / 100, window: { millis: window * 1_000 }, minimumExports: minimum };
  switch (settings.trip) {
    case 'consecutive':
      return consecutiveFailures(failures);
    case 'rate':
      return failureRate(rate);
    case 'slow':
      return slowExportRate({ slowerThanMillis: slower * 1_000, ...rate });
    case 'either':
      return anyTrip(
        consecutiveFailures(failures),
        slowExportRate({ slowerThanMillis: slower * 1_000, ...rate }),
      );
  }
}

function probePolicy({ probe, nth, cooldown, initial, longest }: Settings): ProbePolicy {
  switch (probe) {
    case 'default':
      return defaultProbePolicy;
    case 'nth':
      return everyNthAttempt(nth);
    case 'cooldown':
      return afterCooldown(cooldown * 1_000);
    case 'backoff':
      return exponentialBackoff({ initialMillis: initial * 1_000, maxMillis: longest * 1_000 });
  }
}
