import type { Cell } from '../support/table.ts';
import { csv, figure, markdownTable, mean } from '../support/table.ts';
import { CAPACITY_TIMES_STEADY } from './fleet.ts';
import { FLEET_KINDS } from './fleet-kinds.ts';
import type { Line } from './plots.ts';
import { barPlot, linePlot } from './plots.ts';
import type { Part, TaskResult } from './scenarios.ts';
import { BARE, DEFAULT, PACE_1, parts, scenarios } from './scenarios.ts';
import type { Summary } from './summary.ts';
import { summarize } from './summary.ts';

const PEAK_GOAL = 2;
/** With retention, without what the bare fleet brings with it. */
const OWN_PEAK_GOAL = 2.3;
const CLOSED_GOAL_SECONDS = 60;

const FAILURES = {
  http: 'HTTP-like: fails after 8 s of retries',
  grpc: 'gRPC-like: fails at once',
  hang: 'hangs: fails after 10 s without an answer',
} as const;
const KINDS = {
  mixed: 'a mixed fleet',
  'every 30 s': 'an export every 30 s',
  'every 60 s': 'an export every 60 s',
} as const;

/** Every outage of every scenario, one line each. */
export function toCsv(results: readonly TaskResult[]): string {
  const columns = [
    ...['fleet', 'failure', 'scenario', 'services', 'outage_s', 'seed', 'open_share', 'load_during'],
    ...['peak_after', 'peak_at_s', 'closed_50_s', 'closed_99_s', 'closed_100_s', 'lost_during_share'],
    ...['dropped_during_share', 'lost_after_s', 'kept_at_end_s'],
  ];
  const rows = results.map(({ task, result }) => [
    ...[task.kind, task.failure, task.scenario, task.services, task.outageSeconds, task.seed],
    ...[result.openShare, result.loadDuring, result.peakAfter, result.peakAt, result.closed50].map(rounded),
    ...[result.closed99, result.closed100, result.lostDuring, result.droppedDuring].map(rounded),
    ...[result.lostAfter, result.keptAtTheEnd].map(rounded),
  ]);
  return csv(columns, rows);
}

/** One table a part. */
export function tables(results: readonly TaskResult[]): string {
  return parts
    .map((part) => {
      const rows = summarize(results, part).map((summary): Cell[] => [
        summary.scenario,
        figure(summary.mean('loadDuring')),
        `${figure(summary.mean('peakAfter'))} / ${figure(summary.worst('peakAfter'))}`,
        ...(summary.scenario === BARE
          ? [undefined, undefined]
          : [figure(summary.ownPeak(summary.worstOwn())), figure(summary.worstPeakTimesBare())]),
        seconds(summary, 'closed50'),
        seconds(summary, 'closed99'),
        seconds(summary, 'closed100'),
        `${figure(100 * summary.mean('lostDuring'))} %`,
        `${figure(100 * summary.mean('droppedDuring'))} %`,
        `${figure(summary.mean('lostAfter'))} / ${figure(summary.worst('lostAfter'))}`,
      ]);
      const columns = [
        ...['', 'requests/s in the outage', 'peak after', 'worst of its own', 'times bare'],
        ...['50 % closed, s', '99 %, s'],
        ...['100 %, s', 'lost in the outage', 'of these by the processors', 'lost after, s of traffic'],
      ];
      return `### ${titleOf(part)}\n\n${markdownTable(columns, rows)}`;
    })
    .join('\n\n');
}

/** What the tables say about the goals and about the default. */
export function verdict(results: readonly TaskResult[]): string {
  return parts
    .flatMap((part) => {
      const all = summarize(results, part);
      const lines = [
        peakOfRetention(part, all),
        ...(part.full ? [placeOfDefault(part, all), beyondGoals(part, all)] : []),
      ];
      return lines;
    })
    .join('\n');
}

function placeOfDefault(part: Part, all: readonly Summary[]): string {
  const own = find(all, DEFAULT);
  const policies = all.filter(({ scenario }) => !/bare|retention/.test(scenario));
  const place = (measure: 'loadDuring' | 'peakAfter' | 'closed99' | 'lostAfter'): string => {
    const ranked = [...policies].sort((a, b) => a.mean(measure) - b.mean(measure));
    const rank = ranked.indexOf(own) + 1;
    const best = ranked[0] as Summary;
    return rank === 1
      ? 'first'
      : `${rank} of ${ranked.length}, behind ${best.scenario} with ${figure(best.mean(measure))}`;
  };
  return `- ${titleOf(part)}: the default's worst peak is ${figure(own.worst('peakAfter'))} (goal: at most ${PEAK_GOAL}), and 99 % had closed after ${worstSeconds(own, 'closed99')} s at worst (goal: ${CLOSED_GOAL_SECONDS}). Among the probe policies its place is, for requests in the outage (${figure(own.mean('loadDuring'))}): ${place('loadDuring')}; peak (${figure(own.mean('peakAfter'))}): ${place('peakAfter')}; time until 99 % are closed (${figure(own.mean('closed99'))} s): ${place('closed99')}; lost after the outage (${figure(own.mean('lostAfter'))} s of traffic): ${place('lostAfter')}.`;
}

function beyondGoals(part: Part, all: readonly Summary[]): string {
  const misses = all
    .filter(({ scenario }) => scenario !== BARE && !scenario.includes('retention'))
    .filter(
      (summary) => summary.worst('peakAfter') > PEAK_GOAL || summary.worst('closed99') > CLOSED_GOAL_SECONDS,
    )
    .map(
      (summary) =>
        `${summary.scenario} (peak ${figure(summary.worst('peakAfter'))}, 99 % after ${worstSeconds(summary, 'closed99')} s)`,
    );
  return `- ${titleOf(part)}: probe policies beyond a goal in their worst outage: ${misses.length === 0 ? 'none' : misses.join('; ')}.`;
}

/** How high retention with pace 1 peaks, and what that second is made of where it is high. */
function peakOfRetention(part: Part, all: readonly Summary[]): string {
  const paced = find(all, PACE_1);
  const { task, result } = paced.worstOwn();
  const own = paced.ownPeak(paced.worstOwn());
  const line = `- ${titleOf(part)}: with retention, pace 1, the worst peak with the bare fleet's own excluded is ${figure(own)} (goal: at most ${OWN_PEAK_GOAL}${own <= OWN_PEAK_GOAL ? '' : ', **missed**'}), and no peak is higher than ${figure(paced.worstPeakTimesBare())} times the bare fleet's.`;
  if (result.peakAfter <= OWN_PEAK_GOAL) return line;
  const { live, queued, retry, redelivery } = result.peakCauses;
  const bare = find(all, BARE).results.find(({ task: other }) => other.outageSeconds === task.outageSeconds);
  return `${line} That second (${result.peakAt} s after ${task.outageSeconds} s of outage) had ${figure(result.peakAfter)} times the usual load: ${figure(live)} of new batches, ${figure(queued)} of batches from the processors' queues, ${figure(retry)} of retries inside the exporter, and ${figure(redelivery)} of redeliveries. The bare fleet peaks at ${figure(bare?.result.peakAfter ?? Number.NaN)} after the same outage.`;
}

/** The plots, by file name. */
export function plots(results: readonly TaskResult[], shownOutage: number): Record<string, string> {
  const shownParts = parts.filter(({ full }) => full);
  const { warmUpSeconds, afterSeconds } = FLEET_KINDS.mixed;
  const ofPart = (part: Part): TaskResult[] =>
    results.filter(({ task }) => task.kind === part.kind && task.failure === part.failure);
  const loadLines = (part: Part, wanted: RegExp): Line[] =>
    ofPart(part)
      .filter(({ task }) => task.outageSeconds === shownOutage && wanted.test(task.scenario))
      .map(({ task, result }) => ({
        name: task.scenario,
        points: result.load
          .map((value, second) => [second - warmUpSeconds - shownOutage, value] as const)
          .filter(([at]) => at >= -30 && at <= 90),
      }));
  const closedLines = (part: Part): Line[] =>
    scenarios
      .filter(({ name }) => !name.includes('retention'))
      .map(({ name }) => {
        const own = ofPart(part).filter(({ task }) => task.scenario === name);
        const points = Array.from({ length: afterSeconds / 2 + 1 }, (_, second) => {
          const shares = own.map(
            ({ result }) => result.closedAt.filter((at) => at <= second).length / result.closedAt.length,
          );
          return [second, 100 * mean(shares)] as const;
        });
        return { name, points };
      });
  const panels = (lines: (part: Part) => Line[]) =>
    shownParts.map((part) => ({ title: part.failure, lines: lines(part) }));
  const x = 'seconds after the collector is back';
  const y = 'requests/s, x usual';
  return {
    'simulate-load.svg': linePlot({
      title: `Load on the collector around its recovery from ${shownOutage} s of outage`,
      x,
      y,
      goal: PEAK_GOAL,
      panels: panels((part) => loadLines(part, /bare|cooldown|full|default$/)),
    }),
    'simulate-retention.svg': linePlot({
      title: `The same with retention (capacity of the collector: ${CAPACITY_TIMES_STEADY})`,
      x,
      y,
      goal: OWN_PEAK_GOAL,
      panels: panels((part) => loadLines(part, /default/)),
    }),
    'simulate-closed.svg': linePlot({
      title: 'Share of the fleet that exports again, mean of all outages',
      x,
      y: '% of the fleet',
      yMax: 100,
      panels: panels(closedLines),
    }),
    'simulate-peaks.svg': barPlot({
      title: 'Busiest second after, worst of all outages',
      x: y,
      goal: PEAK_GOAL,
      categories: scenarios.map(({ name }) => name),
      bars: shownParts.map((part) => ({
        name: part.failure,
        values: summarize(results, part).map((summary) => summary.worst('peakAfter')),
      })),
    }),
  };
}

function titleOf({ kind, failure }: Part): string {
  return `${KINDS[kind]}, ${FAILURES[failure]}`;
}

function find(all: readonly Summary[], scenario: string): Summary {
  return all.find((summary) => summary.scenario === scenario) as Summary;
}

function seconds(summary: Summary, measure: 'closed50' | 'closed99' | 'closed100'): string {
  return `${figure(summary.mean(measure))} / ${worstSeconds(summary, measure)}`;
}

function worstSeconds(summary: Summary, measure: 'closed50' | 'closed99' | 'closed100'): string {
  const worst = summary.worst(measure);
  const { afterSeconds } = FLEET_KINDS[summary.part.kind];
  return worst > afterSeconds ? `> ${afterSeconds}` : figure(worst);
}

function rounded(value: number): number | string {
  return Number.isFinite(value) ? Number(value.toFixed(4)) : '';
}
