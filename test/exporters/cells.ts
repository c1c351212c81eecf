import { ok, strictEqual } from 'node:assert/strict';
import type { Cell } from '../compat/cell.ts';
import { expectedOutcome } from './expected.ts';
import type { Exporter } from './exporters.ts';
import { SITUATIONS } from './exporters.ts';
import { versionOf } from './install.ts';
import type { Limits, Seen } from './measure.ts';
import { measure } from './measure.ts';
import type { Row } from './outcome.ts';
import { outcomeOf, seconds } from './outcome.ts';
import type { Mode } from './receiver.ts';

/** `closedShutdownTimeoutMillis`, and time for a busy machine. */
const LONGEST_SHUTDOWN_MILLIS = 5_000 + 1_500;

/** A cell for each exporter in each situation. @param rows - filled as they end */
export function exporterCells(
  exporters: readonly Exporter[],
  limits: (situation: Mode) => Limits,
  rows: Row[],
): Cell[] {
  return exporters.flatMap((exporter) => {
    const seen = new Map<Mode, Seen>();
    return (exporter.situations ?? SITUATIONS).map((situation) => ({
      name: `${exporter.title} · ${situation}`,
      async run() {
        const version = await versionOf(exporter.app, exporter.packageName);
        const now = await measure(exporter, situation, limits(situation));
        if (seen.size === 0) rows.push({ exporter, version, seen });
        seen.set(situation, now);
        strictEqual(outcomeOf(now), expectedOutcome(exporter, situation));
        const { answer, millis, shutdownMillis, bareShutdownMillis } = now;
        ok(
          shutdownMillis !== null && shutdownMillis < LONGEST_SHUTDOWN_MILLIS,
          `shutdown() took ${shutdownMillis} ms`,
        );
        const times = `shutdown ${seconds(shutdownMillis)}, without breaker ${seconds(bareShutdownMillis)}`;
        return {
          versions: { [exporter.packageName]: version },
          detail: `${answer} after ${seconds(millis)}; ${outcomeOf(now)}; ${times}`,
        };
      },
    }));
  });
}
