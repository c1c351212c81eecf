import type { Cell } from '../support/table.ts';
import { csv, figure, markdownTable } from '../support/table.ts';
import type { CellResult } from './cell.ts';
import { WRAPPINGS, wrappingsOf } from './protocol.ts';

const COLUMNS = [
  ...[
    '',
    'made',
    'delivered',
    'lost',
    'of these by the processor',
    'duplicated',
    'requests',
    'exporter calls',
  ],
  ...['CPU, s', 'peak RSS, MB', 'loop delay p99, ms', 'error handler', 'to open, s', 'to deliver again, s'],
  ...['shutdown, ms', 'of these the exporter', 'state then'],
];

function values(result: CellResult): Cell[] {
  const { report, delivered, duplicated, millisToOpen, millisToDeliver } = result;
  return [
    ...[report.made, delivered, report.made - delivered, report.made - report.offered, duplicated].map(whole),
    ...[report.requests, report.exporterCalls].map(whole),
    ...[report.cpuSeconds, report.peakMegabytes, report.eventLoopDelayP99Millis].map(figure),
    ...[whole(report.errorHandlerCalls), inSeconds(millisToOpen), inSeconds(millisToDeliver)],
    ...[report.shutdownMillis, report.exporterShutdownMillis].map(figure),
    report.stateAtShutdown,
  ];
}

/** One table an outage. */
export function tables(results: readonly CellResult[]): string {
  return [...new Set(results.map(({ outage }) => outage))]
    .map((outage) => {
      const rows = results
        .filter((result) => result.outage === outage)
        .map((result) => [WRAPPINGS[result.wrapping], ...values(result)]);
      return `### ${outage}\n\n${markdownTable(COLUMNS, rows)}`;
    })
    .join('\n\n');
}

export function toCsv(results: readonly CellResult[]): string {
  const rows = results.map((result) => [
    result.outage,
    result.wrapping,
    ...values(result).map((cell) => String(cell ?? '').replaceAll(',', '')),
  ]);
  return csv(['outage', 'wrapping', ...COLUMNS.slice(1)], rows);
}

/** What the tables say about the goals; each line names its numbers. */
export function verdict(results: readonly CellResult[]): string {
  const cell = (outage: string, wrapping: CellResult['wrapping']): CellResult | undefined =>
    results.find((result) => result.outage === outage && result.wrapping === wrapping);
  const lines: string[] = [];

  for (const [wrapping, goalMillis] of [
    ['ours', 50],
    ['recipe', 50],
    ['retention', 1_100],
    ['both', 1_100],
  ] as const) {
    const own = results.filter((result) => result.wrapping === wrapping);
    lines.push(
      `- shutdown, ${WRAPPINGS[wrapping]}: while OPEN (goal: below ${whole(goalMillis)} ms) ${shutdowns(own, 'OPEN', goalMillis)}; while HALF_OPEN, a probe in flight, ${shutdowns(own, 'HALF_OPEN')}.`,
    );
  }
  for (const outage of ['refused', 'hang', '503']) {
    const bare = cell(outage, 'nothing');
    if (bare === undefined) continue;
    const others = wrappingsOf(outage)
      .filter((wrapping) => wrapping !== 'nothing')
      .map((wrapping) => cell(outage, wrapping))
      .filter((result) => result !== undefined)
      .map(
        ({ wrapping, report }) =>
          `${WRAPPINGS[wrapping]} ${whole(report.requests)} (${percent(report.requests, bare.report.requests)})`,
      );
    lines.push(
      `- requests under ${outage}: without a breaker ${whole(bare.report.requests)} (100 %); ${others.join('; ')}.`,
    );
  }
  for (const outage of ['back after 20 s', 'flapping 5 s / 5 s']) {
    const losses = (['retention', 'both'] as const).flatMap((wrapping) => {
      const kept = cell(outage, wrapping);
      if (kept === undefined) return [];
      const lost = kept.report.made - kept.delivered;
      const missed = lost === 0 ? '' : ` of ${whole(kept.report.made)}, **missed**`;
      return `${WRAPPINGS[wrapping]} ${whole(lost)}${missed}`;
    });
    if (losses.length === 0) continue;
    lines.push(`- lost with retention, ${outage} (goal: 0 within the budget): ${losses.join('; ')}.`);
  }
  const worse = results.flatMap((result) => {
    const without = cell(result.outage, 'nothing');
    if (without === undefined || !['ours', 'retention', 'recipe', 'both'].includes(result.wrapping))
      return [];
    const [lost, lostWithout] = [result, without].map(({ report, delivered }) => report.made - delivered);
    if (without.delivered === 0 || lost === undefined || lostWithout === undefined || lost <= lostWithout)
      return [];
    return `${result.outage}, ${WRAPPINGS[result.wrapping]}: ${whole(lost)} instead of ${whole(lostWithout)}`;
  });
  if (worse.length > 0) {
    lines.push(
      `- where the breaker loses more spans than none: ${worse.join('; ')}. A queue that holds a short outage, and retries, serve it better than rejecting; what the processor dropped, no retention sees.`,
    );
  }
  const bare = cell('healthy', 'nothing');
  const ours = cell('healthy', 'ours');
  if (bare !== undefined && ours !== undefined) {
    lines.push(
      `- while healthy the breaker costs ${figure(ours.report.cpuSeconds - bare.report.cpuSeconds)} s of CPU in ${figure(bare.report.cpuSeconds)} s, and ${figure(ours.report.peakMegabytes - bare.report.peakMegabytes)} MB of RSS: within what two runs differ by.`,
    );
  }
  const noisy = results.filter(
    (result) =>
      result.wrapping === 'ours' &&
      result.report.errorHandlerCalls >
        (cell(result.outage, 'nothing')?.report.errorHandlerCalls ?? Number.POSITIVE_INFINITY),
  );
  if (noisy.length > 0) {
    const list = noisy.map(
      ({ outage, report }) =>
        `${outage} ${whole(report.errorHandlerCalls)} instead of ${whole(cell(outage, 'nothing')?.report.errorHandlerCalls ?? 0)}`,
    );
    lines.push(
      `- what the breaker costs: every rejected batch is one call of the error handler (${list.join('; ')}); \`quietGlobalErrorHandler\` swallows those.`,
    );
  }
  return lines.join('\n');
}

function shutdowns(
  results: readonly CellResult[],
  state: string,
  goalMillis = Number.POSITIVE_INFINITY,
): string {
  const cells = results.filter(({ report }) => report.stateAtShutdown === state);
  if (cells.length === 0) return 'in no cell';
  return cells
    .map(({ outage, report: { shutdownMillis, exporterShutdownMillis } }) => {
      const told = `${outage} ${figure(shutdownMillis)} ms`;
      if (shutdownMillis < goalMillis) return told;
      return `${told} (**missed**: of these the exporter took ${figure(exporterShutdownMillis)} ms; the rest is the processor's last flush, one batch of which became a probe)`;
    })
    .join(', ');
}

function whole(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

function percent(part: number, all: number): string {
  return `${figure((100 * part) / all)} %`;
}

function inSeconds(millis: number | undefined): string | undefined {
  return millis === undefined ? undefined : figure(millis / 1_000);
}
