import { figure, markdownTable } from '../support/table.ts';
import type { CellResult, Load } from './cell.ts';
import { runCell, runCells } from './cell.ts';
import type { Outage } from './outages.ts';
import { away, HEALTHY_SECONDS } from './outages.ts';
import type { SetupRow } from './protocol.ts';
import { SETUPS } from './protocol.ts';

/** A batch a second. */
const SPANS_A_SECOND = 500;
/** How long the collector has been back when the service is told to end. */
const BACK_SECONDS = 0.3;
/** A service with retention ends within that time, whatever the backend does. */
const RETENTION_GOAL_MILLIS = 1_500;
/** And one without within this much more than the bare exporter needs. */
const WITHOUT_GOAL_MILLIS = 500;

const MODES = ['refused', 'hang', '503'] as const;
type Mode = (typeof MODES)[number];
const TURNS = { refused: 'dead', hang: 'hang', '503': 'status:503' } as const;

interface Measured {
  readonly setup: SetupRow;
  readonly mode: Mode;
  readonly seconds: number;
  readonly result: CellResult;
}

const rows = SETUPS.filter(
  ({ wrapping, queue }) => ['nothing', 'ours', 'retention'].includes(wrapping) && queue === 'default',
);

/** SIGTERM at several ages of an outage, and just after one; as Markdown. */
export async function sigterm(
  { ages, lengths }: { readonly ages: readonly number[]; readonly lengths: readonly number[] },
  atOnce: number,
): Promise<string> {
  const [during, after] = [
    await measure(ages, atOnce, inOutage),
    await measure(lengths, atOnce, afterOutage),
  ];
  return `### SIGTERM in an outage

${SPANS_A_SECOND} spans/s, the default queue, a collector that was healthy for ${HEALTHY_SECONDS} s before. A cell is what the operator waits for, from the signal to the end
of the process, in seconds (one run, and the OTLP exporter's retries have a jitter of 20 %), and the state of the circuit
when the signal came; the columns are the age of the outage.

${during.length === 0 ? '' : table(during, ages, ({ result }) => `${figure(result.exitMillis / 1_000)} ${result.report.stateAtSigterm}`)}

${exitVerdict(during)}

### SIGTERM just after an outage

A deployment restarts the collector, and ${BACK_SECONDS} s after it is back the service. A cell is the spans that were lost, and the seconds from
the signal to the end of the process; the columns are the length of the outage.

${table(after, lengths, ({ result }) => `${whole(lostBy(result))}, ${figure(result.exitMillis / 1_000)} s`)}

${lossVerdict(after)}`;
}

function inOutage(mode: Mode, seconds: number): readonly [Outage, Load] {
  const steps = [{ atSeconds: HEALTHY_SECONDS, mode: TURNS[mode] }];
  return [
    { name: mode, steps },
    { seconds: HEALTHY_SECONDS + seconds, spansPerSecond: SPANS_A_SECOND },
  ];
}

function afterOutage(mode: Mode, seconds: number): readonly [Outage, Load] {
  return [
    away(mode, TURNS[mode], HEALTHY_SECONDS, seconds),
    { seconds: HEALTHY_SECONDS + seconds + BACK_SECONDS, spansPerSecond: SPANS_A_SECOND },
  ];
}

function measure(
  lengths: readonly number[],
  atOnce: number,
  scenario: (mode: Mode, seconds: number) => readonly [Outage, Load],
): Promise<Measured[]> {
  // The longest first, so that none is left alone at the end.
  const runs = [...lengths].reverse().flatMap((seconds) =>
    MODES.flatMap((mode) =>
      rows.map((setup) => async () => {
        const [outage, load] = scenario(mode, seconds);
        return { setup, mode, seconds, result: await runCell(outage, setup, load) };
      }),
    ),
  );
  return runCells(runs, atOnce);
}

function table(
  all: readonly Measured[],
  lengths: readonly number[],
  show: (measured: Measured) => string,
): string {
  const body = MODES.flatMap((mode) =>
    rows.map((setup) => [
      `${mode}, ${setup.shown}`,
      ...lengths.map((seconds) => {
        const own = all.find((one) => one.mode === mode && one.setup === setup && one.seconds === seconds);
        return own === undefined ? undefined : show(own);
      }),
    ]),
  );
  return markdownTable(['', ...lengths.map((seconds) => `${seconds} s`)], body);
}

function exitVerdict(all: readonly Measured[]): string {
  const retained = all.filter(({ setup }) => setup.wrapping === 'retention');
  const late = retained.filter(({ result }) => result.exitMillis > RETENTION_GOAL_MILLIS);
  const beyond = all.filter(({ setup, mode, seconds, result }) => {
    const bare = all.find(
      (one) => one.setup.wrapping === 'nothing' && one.mode === mode && one.seconds === seconds,
    );
    return (
      setup.wrapping === 'ours' &&
      result.exitMillis > (bare?.result.exitMillis ?? Number.POSITIVE_INFINITY) + WITHOUT_GOAL_MILLIS
    );
  });
  const longest = Math.max(...retained.map(({ result }) => result.exitMillis));
  return `- with retention at most ${figure(longest / 1_000)} s (goal: ${figure(RETENTION_GOAL_MILLIS / 1_000)})${list(late)}.
- without retention beyond the bare exporter and ${figure(WITHOUT_GOAL_MILLIS / 1_000)} s: ${beyond.length === 0 ? 'none' : `${beyond.length}${list(beyond)}`}.`;
}

function lossVerdict(all: readonly Measured[]): string {
  const worse = all.filter(({ setup, mode, seconds, result }) => {
    const bare = all.find(
      (one) => one.setup.wrapping === 'nothing' && one.mode === mode && one.seconds === seconds,
    );
    return setup.wrapping === 'retention' && bare !== undefined && lostBy(result) > lostBy(bare.result);
  });
  return `- retention loses more than the bare exporter in ${worse.length === 0 ? 'no cell' : `${worse.length}${list(worse)}`}.`;
}

function list(missed: readonly Measured[]): string {
  if (missed.length === 0) return '';
  return `, **missed**: ${missed.map(({ mode, seconds }) => `${mode} ${seconds} s`).join(', ')}`;
}

function lostBy({ report, delivered }: CellResult): number {
  return report.made - delivered;
}

function whole(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
}
