import type { ProbeContext } from '../../../src/index.ts';
import type { Account, RecordedTransition } from './lanes.ts';
import type { Run } from './run-simulation.ts';
import type { Settings } from './settings.ts';

/** A moment of the run worth a look: a state change, or the beginning and the end of the incident. */
export interface Step {
  /** Seconds since the start of the run. */
  readonly at: number;
  /** In a few words. */
  readonly title: string;
  /** What happened, and why. */
  readonly sentence: string;
}

/** The run as a story, in order of time. */
export function explainRun(run: Run): readonly Step[] {
  const { settings, untilMillis, guarded, bare } = run;
  const steps = guarded.transitions.map((transition, index) => {
    return explainTransition(transition, guarded.transitions[index - 1], settings);
  });
  for (const step of [...incident(run), ...retention(run)]) insert(steps, step);
  steps.push({
    at: untilMillis / 1_000,
    title: 'The run ends',
    sentence: ending(guarded.account, bare.account),
  });
  return steps;
}

function incident({ settings, untilMillis }: Run): readonly Step[] {
  const { backend, start, length } = settings;
  const end = start + length;
  const steps = [
    { at: start, title: 'The incident begins', sentence: beginning(settings) },
    { at: end, title: 'The incident ends', sentence: 'The backend is healthy again.' },
  ];
  return backend === 'healthy' ? [] : steps.filter(({ at }) => at * 1_000 < untilMillis);
}

function retention({ settings, times, guarded }: Run): readonly Step[] {
  const { fullAt, series, transitions } = guarded;
  const steps: Step[] = [];
  if (fullAt !== undefined) {
    const goes = settings.fallback ? 'the oldest batches go to the fallback' : 'the oldest batches are lost';
    const sentence = `No more fits into memory. From now on ${goes}, to make room for new ones.`;
    steps.push({ at: fullAt, title: 'Retention is full', sentence });
  }
  const last = transitions.at(-1);
  if (last?.to !== 'CLOSED' || last.account.kept.items === 0) return steps;
  const emptied = times.find((at, index) => at * 1_000 > last.at && series.kept[index] === 0);
  if (emptied !== undefined) {
    const sentence = `All that was kept has been delivered, ${seconds(emptied - last.at / 1_000)} after the circuit closed.`;
    steps.push({ at: emptied, title: 'The backlog is gone', sentence });
  }
  return steps;
}
/** In order of time, before what happens at the same moment because of it. */
function insert(steps: Step[], step: Step): void {
  const index = steps.findIndex(({ at }) => at >= step.at);
  steps.splice(index < 0 ? steps.length : index, 0, step);
}

function explainTransition(
  transition: RecordedTransition,
  before: RecordedTransition | undefined,
  settings: Settings,
): Step {
  const { from, to } = transition;
  const at = transition.at / 1_000;
  if (from === 'CLOSED') return { at, title: 'The circuit opens', sentence: opening(transition, settings) };
  if (to === 'HALF_OPEN') return { at, title: 'A probe', sentence: probe(transition, settings) };
  const probeSeconds = (transition.at - (before?.at ?? transition.at)) / 1_000;
  if (to === 'OPEN')
    return { at, title: 'The probe fails', sentence: probeFailed(transition, probeSeconds, settings) };
  return { at, title: 'The circuit closes', sentence: closing(transition, probeSeconds, settings) };
}

function beginning({ backend, fail, timeout, slow, flap, share, length }: Settings): string {
  const forSoLong = `for ${seconds(length)}`;
  switch (backend) {
    case 'refuses':
      return `The backend refuses connections ${forSoLong}. An export fails ${after(fail)}.`;
    case 'hangs':
      return `The backend accepts connections and never answers, ${forSoLong}. The OTLP exporter gives an export up after ${seconds(timeout)}.`;
    case 'slow':
      return slow < timeout
        ? `The backend takes ${seconds(slow)} for each export, ${forSoLong}.`
        : `The backend would take ${seconds(slow)} for each export, ${forSoLong}. The OTLP exporter gives it up after ${seconds(timeout)}.`;
    case 'flapping':
      return `The backend goes down and comes back every ${seconds(flap)}, ${forSoLong}. While it is down, an export fails ${after(fail)}.`;
    default:
      return `The backend refuses ${share} % of the batches with HTTP 400, ${forSoLong}: it is up, and something is wrong with these batches.`;
  }
}

function opening({ error, account, failures }: RecordedTransition, settings: Settings): string {
  return `${reason(settings, failures)}${because(error)}. ${rejected(settings)} Lost so far: ${spans(account.lost.items)}.`;
}

function reason({ trip, failures, percent, window, slower }: Settings, failed: number): string {
  const share = `At least ${percent} % of the exports of the last ${seconds(window)}`;
  if (trip === 'rate') return `${share} failed`;
  if (trip === 'slow' || failed < failures) return `${share} took longer than ${seconds(slower)}`;
  return failed === 1 ? 'An export failed' : `${failed} exports in a row failed`;
}

function rejected({ retention, fallback }: Settings): string {
  if (retention && fallback)
    return 'Batches are no longer sent. They are kept in memory, and what does not fit goes to the fallback.';
  if (retention) return 'Batches are no longer sent. They are kept in memory for later.';
  if (fallback) return 'Batches are no longer sent. They go to the fallback.';
  return 'Batches are rejected at once, and lost.';
}

function probe({ question, live }: RecordedTransition, settings: Settings): string {
  const batch = live ? 'This batch' : 'No batch has come for a while, so a kept batch';
  const meanwhile = 'Nothing else is sent while it is unanswered.';
  if (question === undefined) return `${batch} is the probe. ${meanwhile}`;
  return `${batch} is the probe: ${permission(question, settings)}. ${meanwhile}`;
}

/** Why the policy said yes. */
function permission({ attempt, elapsedMillis, failedProbes }: ProbeContext, settings: Settings): string {
  const attempts = `it is attempt ${attempt} since the circuit opened`;
  const pause = `the circuit has been open for ${seconds(elapsedMillis / 1_000)}`;
  const pauseIsOver =
    failedProbes === 0
      ? `${pause}, and the first pause is over`
      : `${pause}, and the pause after ${failedProbes} failed ${failedProbes === 1 ? 'probe' : 'probes'} is over`;
  switch (settings.probe) {
    case 'nth':
      return `${attempts}, and every ${ordinal(settings.nth)} may probe`;
    case 'cooldown':
      return `${pause}, and the pause is ${seconds(settings.cooldown)}`;
    case 'backoff':
      return pauseIsOver;
    case 'default':
      return attempt % 10 === 0 ? `${attempts}, and every 10th may probe` : pauseIsOver;
  }
}

function probeFailed(
  { error, account }: RecordedTransition,
  tookSeconds: number,
  settings: Settings,
): string {
  const what =
    error === undefined
      ? `The probe got through, but took longer than ${seconds(settings.slower)}`
      : `The probe failed ${after(tookSeconds)}${because(error)}`;
  return `${what}. The circuit opens again. Kept: ${spans(account.kept.items)}; lost so far: ${spans(account.lost.items)}.`;
}

function closing({ account, at }: RecordedTransition, tookSeconds: number, settings: Settings): string {
  const sinceEnd = at / 1_000 - settings.start - settings.length;
  const healthySince = sinceEnd >= 0 ? `, ${seconds(sinceEnd)} after the end of the incident` : '';
  const answer =
    tookSeconds === 0 ? 'The probe got through' : `The probe got through after ${seconds(tookSeconds)}`;
  return `${answer}${healthySince}. ${backlog(account, settings)} Lost: ${spans(account.lost.items)}.`;
}

function backlog({ kept }: Account, { retention, pace }: Settings): string {
  if (!retention) return 'Batches are sent again.';
  const redeliveries = pace === 1 ? 'one kept batch' : `${pace} kept batches`;
  return `Batches are sent again, and each one that gets through brings ${redeliveries} along: ${spans(kept.items)} are waiting.`;
}

function ending(guarded: Account, bare: Account): string {
  const kept = guarded.kept.items === 0 ? '' : ` and still keeps ${spans(guarded.kept.items)}`;
  return `The library has lost ${spans(guarded.lost.items)} of ${grouped(guarded.offered.items)}${kept}; without it, ${grouped(bare.lost.items)} were lost.`;
}

function because(error: unknown): string {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  const cause = code ?? message;
  return cause === undefined ? '' : ` (${String(cause)})`;
}

function after(value: number): string {
  return value === 0 ? 'at once' : `after ${seconds(value)}`;
}

/** `90.5 s` */
export function seconds(value: number): string {
  return `${grouped(Number(value.toFixed(2)))} s`;
}

/** `12,000 spans` */
export function spans(items: number): string {
  return `${grouped(items)} ${items === 1 ? 'span' : 'spans'}`;
}

/** `12,000` */
export function grouped(value: number): string {
  return value.toLocaleString('en-US');
}

function ordinal(value: number): string {
  const { one, two, few, other } = { one: 'st', two: 'nd', few: 'rd', other: 'th' };
  const suffix = { one, two, few, other, zero: other, many: other };
  return `${value}${suffix[new Intl.PluralRules('en', { type: 'ordinal' }).select(value)]}`;
}
