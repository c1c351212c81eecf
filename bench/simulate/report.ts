import type { Cell } from '../support/table.ts';
import { csv, figure, markdownTable, mean } from '../support/table.ts';
import { AFTER_SECONDS, CAPACITY_TIMES_STEADY, WARM_UP_SECONDS } from './fleet.ts';
import type { Line } from './plots.ts';
import { barPlot, linePlot } from './plots.ts';
import type { TaskResult } from './scenarios.ts';
import { protocols, scenarios } from './scenarios.ts';
import type { Summary } from './summary.ts';
import { summarize } from './summary.ts';

const PEAK_GOAL = 2;
const CLOSED_GOAL_SECONDS = 60;

/** Every outage of every scenario, one line each. */
export function toCsv(results: readonly TaskResult[]): string {
  const columns = [
    ...['protocol', 'scenario', 'services', 'outage_s', 'seed', 'open_share', 'load_during', 'peak_after'],
    ...['closed_50_s', 'closed_99_s', 'closed_100_s', 'lost_during_share', 'lost_after_s', 'kept_at_end_s'],
  ];
  const rows = results.map(({ task, result }) => [
    ...[task.protocol, task.scenario, task.services, task.outageSeconds, task.seed],
    ...[result.openShare, result.loadDuring, result.peakAfter, result.closed50, result.closed99].map(rounded),
    ...[result.closed100, result.lostDuring, result.lostAfter, result.keptAtTheEnd].map(rounded),
  ]);
  return csv(columns, rows);
}

/** One table a protocol. */
export function tables(results: readonly TaskResult[]): string {
  return protocols
    .map((protocol) => {
      const rows = summarize(results, protocol).map((summary): Cell[] => [
        summary.scenario,
        figure(summary.mean('loadDuring')),
        `${figure(summary.mean('peakAfter'))} / ${figure(summary.worst('peakAfter'))}`,
        seconds(summary, 'closed50'),
        seconds(summary, 'closed99'),
        seconds(summary, 'closed100'),
        `${figure(100 * summary.mean('lostDuring'))} %`,
        `${figure(summary.mean('lostAfter'))} / ${figure(summary.worst('lostAfter'))}`,
      ]);
      const columns = [
        ...['', 'requests/s in the outage', 'peak after', '50 % closed, s', '99 %, s', '100 %, s'],
        ...['lost in the outage', 'lost after, s of traffic'],
      ];
      return `### ${protocol === 'http' ? 'HTTP-like: fails after 8 s of retries' : 'gRPC-like: fails at once'}\n\n${markdownTable(columns, rows)}`;
    })
    .join('\n\n');
}

/** What the tables say about the goals and about the default. */
export function verdict(results: readonly TaskResult[]): string {
  const lines = protocols.flatMap((protocol) => {
    const all = summarize(results, protocol);
    const own = all.find(({ scenario }) => scenario === 'default') as Summary;
    const policies = all.filter(({ scenario }) => !/bare|retention/.test(scenario));
    const misses = all
      .filter(({ scenario }) => !scenario.startsWith('bare'))
      .filter(
        (summary) =>
          summary.worst('peakAfter') > PEAK_GOAL || summary.worst('closed99') > CLOSED_GOAL_SECONDS,
      )
      .map(
        (summary) =>
          `${summary.scenario} (peak ${figure(summary.worst('peakAfter'))}, 99 % after ${worstSeconds(summary, 'closed99')} s)`,
      );
    const place = (measure: 'loadDuring' | 'peakAfter' | 'closed99' | 'lostAfter'): string => {
      const ranked = [...policies].sort((a, b) => a.mean(measure) - b.mean(measure));
      const rank = ranked.indexOf(own) + 1;
      const best = ranked[0] as Summary;
      return rank === 1
        ? 'first'
        : `${rank} of ${ranked.length}, behind ${best.scenario} with ${figure(best.mean(measure))}`;
    };
    return [
      `- ${protocol}: the default's worst peak is ${figure(own.worst('peakAfter'))} (goal: at most ${PEAK_GOAL}), and 99 % had closed after ${worstSeconds(own, 'closed99')} s at worst (goal: ${CLOSED_GOAL_SECONDS}). Among the probe policies its place is, for requests in the outage (${figure(own.mean('loadDuring'))}): ${place('loadDuring')}; peak (${figure(own.mean('peakAfter'))}): ${place('peakAfter')}; time until 99 % are closed (${figure(own.mean('closed99'))} s): ${place('closed99')}; lost after the outage (${figure(own.mean('lostAfter'))} s of traffic): ${place('lostAfter')}.`,
      `- ${protocol}: beyond a goal at their worst: ${misses.length === 0 ? 'none' : misses.join('; ')}.`,
      ...whyAbovePace(all, own),
    ];
  });
  return lines.join('\n');
}

/** What the worst peak of retention with pace 1 is made of, where it is more than twice the usual load. */
function whyAbovePace(all: readonly Summary[], without: Summary): string[] {
  const paced = all.find(({ scenario }) => scenario === 'default, retention, pace 1') as Summary;
  const worst = paced.results.find(({ result }) => result.peakAfter === paced.worst('peakAfter'));
  if (worst === undefined || worst.result.peakAfter <= PEAK_GOAL) return [];
  const { protocol, outageSeconds } = worst.task;
  const { peakAfter, peakAt, peakCauses } = worst.result;
  const { live, queued, retry, redelivery } = peakCauses;
  const same = without.results.find(({ task }) => task.outageSeconds === outageSeconds);
  const perLive = redelivery / (live + queued + retry);
  const reasons = [
    ...(retry > 0.1 ? ['exports under way when the collector is back get through together, by retries'] : []),
    ...(queued > 0.1 ? ['what has waited in the queues follows at once'] : []),
    ...(live > 1.1 ? ['services that got through together send again together, every 5 s'] : []),
  ];
  return [
    `- ${protocol}: why pace 1 peaks above twice the usual load: its busiest second (${figure(peakAfter)}, ${peakAt} s after ${outageSeconds} s of outage) held ${figure(live)} of new batches, ${figure(queued)} of batches from the processors' queues, ${figure(retry)} of retries inside the exporter, and ${figure(redelivery)} of redeliveries: ${figure(perLive)} for each of the others${perLive > 1.05 ? ', **more than pace allows**' : ', so pace holds'}. It is bound to live traffic as that gets through, which alone, without retention, peaks at ${figure(same?.result.peakAfter ?? Number.NaN)} there: ${reasons.length === 0 ? 'one second differs from another' : reasons.join('; ')}.`,
  ];
}

/** The plots, by file name. */
export function plots(results: readonly TaskResult[], shownOutage: number): Record<string, string> {
  const shown = (protocol: string): TaskResult[] =>
    results.filter(({ task }) => task.protocol === protocol && task.outageSeconds === shownOutage);
  const loadLines = (protocol: string, wanted: RegExp): Line[] =>
    shown(protocol)
      .filter(({ task }) => wanted.test(task.scenario))
      .map(({ task, result }) => ({
        name: task.scenario,
        points: result.load
          .map((value, second) => [second - WARM_UP_SECONDS - shownOutage, value] as const)
          .filter(([at]) => at >= -30 && at <= 90),
      }));
  const closedLines = (protocol: string): Line[] =>
    scenarios
      .filter(({ name }) => !name.includes('retention'))
      .map(({ name }) => {
        const own = results.filter(({ task }) => task.protocol === protocol && task.scenario === name);
        const points = Array.from({ length: AFTER_SECONDS / 2 + 1 }, (_, second) => {
          const shares = own.map(
            ({ result }) => result.closedAt.filter((at) => at <= second).length / result.closedAt.length,
          );
          return [second, 100 * mean(shares)] as const;
        });
        return { name, points };
      });
  const panels = (lines: (protocol: string) => Line[]) =>
    protocols.map((protocol) => ({ title: protocol, lines: lines(protocol) }));
  const x = 'seconds after the collector is back';
  const y = 'requests/s, x usual';
  return {
    'simulate-load.svg': linePlot({
      title: `Load on the collector around its recovery from ${shownOutage} s of outage`,
      x,
      y,
      goal: PEAK_GOAL,
      panels: panels((protocol) => loadLines(protocol, /bare|cooldown|full|default$/)),
    }),
    'simulate-retention.svg': linePlot({
      title: `The same with retention (capacity of the collector: ${CAPACITY_TIMES_STEADY})`,
      x,
      y,
      goal: PEAK_GOAL,
      panels: panels((protocol) => loadLines(protocol, /default/)),
    }),
    'simulate-closed.svg': linePlot({
      title: 'Share of the fleet that exports again, mean of all outages',
      x,
      y: '% of the fleet',
      yMax: 100,
      panels: panels(closedLines),
    }),
    'simulate-peaks.svg': barPlot({
      title: 'Busiest second of the first minute after, worst of all outages',
      x: y,
      goal: PEAK_GOAL,
      categories: scenarios.map(({ name }) => name),
      bars: protocols.map((protocol) => ({
        name: protocol,
        values: summarize(results, protocol).map((summary) => summary.worst('peakAfter')),
      })),
    }),
  };
}

function seconds(summary: Summary, measure: 'closed50' | 'closed99' | 'closed100'): string {
  return `${figure(summary.mean(measure))} / ${worstSeconds(summary, measure)}`;
}

function worstSeconds(summary: Summary, measure: 'closed50' | 'closed99' | 'closed100'): string {
  const worst = summary.worst(measure);
  return worst > AFTER_SECONDS ? `> ${AFTER_SECONDS}` : figure(worst);
}

function rounded(value: number): number | string {
  return Number.isFinite(value) ? Number(value.toFixed(4)) : '';
}
