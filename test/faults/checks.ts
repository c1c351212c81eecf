import type { Cell, CellOutcome } from './cell.ts';
import type { ServiceReport } from './protocol.ts';
import { SHUTDOWN_TIMEOUT_MILLIS } from './protocol.ts';
import type { Tally } from './tally.ts';

/** Consecutive failures that open the circuit: the default policy. */
const FAILURES_TO_OPEN = 3;
/** The flush may have to wait for the OTLP exporter's time-out before the shutdown begins; and the machine is busy. */
const LONGEST_SIGTERM_MILLIS = SHUTDOWN_TIMEOUT_MILLIS + 1_700;
const MOST_MEGABYTES = 256;

/** Everything that must hold of a cell. */
export function check(cell: Cell, outcome: CellOutcome, tally: Tally): readonly string[] {
  return [
    ...outcome.problems,
    ...outcome.report.problems.map((problem) => `onError heard: ${problem}`),
    ...[
      ...bookChecks(outcome.report, tally),
      ...receiverChecks(outcome, tally),
      ...strikeChecks(outcome),
      ...faultChecks(cell, outcome.report, tally),
      ...lossChecks(cell, outcome.report, tally),
    ].filter((problem) => problem !== undefined),
  ];
}

type Problem = string | undefined;

function must(holds: boolean, otherwise: string): Problem {
  return holds ? undefined : otherwise;
}

/** The books balance, and hold every span that was made. */
function bookChecks({ snapshot, imbalances }: ServiceReport, { made }: Tally): readonly Problem[] {
  const { offered, kept, inFlight } = snapshot.delivery;
  return [
    must(imbalances === 0, `delivery did not balance at ${imbalances} looks`),
    must(offered.items === made, `${made} spans made, ${offered.items} offered`),
    must(kept.items + inFlight.items === 0, `${kept.items} kept and ${inFlight.items} in flight in the end`),
  ];
}

/** `delivery` says what the receiver and the file saw, span by span. */
function receiverChecks({ report, file }: CellOutcome, tally: Tally): readonly Problem[] {
  const { made, delivered, duplicated, fallback, lost, arrived, accepted, inFile } = tally;
  const { sendings, snapshot } = report;
  const { unanswered, late, sentAfterAccepted } = sendings;
  const inLimbo = arrived.size - delivered;
  let missing = 0;
  for (let n = 1; n <= made; n += 1) if (!arrived.has(n) && !inFile.has(n)) missing += 1;
  return [
    must(
      delivered >= accepted.size && delivered <= accepted.size + late.spans,
      `${delivered} delivered, ${accepted.size} accepted by the receiver in time, ${late.spans} late`,
    ),
    must(
      [...accepted].every((n) => arrived.has(n)),
      'delivered, and never seen by the receiver',
    ),
    must(
      inLimbo >= 0 && inLimbo <= unanswered.spans,
      `${arrived.size} arrived, ${delivered} delivered, and only ${unanswered.spans} without an answer`,
    ),
    must(missing <= lost, `${missing} spans are nowhere, ${lost} lost`),
    must(lost - missing <= unanswered.spans, `${lost} lost, yet only ${missing} are nowhere`),
    must(sentAfterAccepted === 0, `${sentAfterAccepted} spans sent again though they were accepted`),
    must(
      duplicated <= unanswered.spans,
      `${duplicated} duplicates, ${unanswered.spans} spans in sendings without an answer`,
    ),
    must(file.length === snapshot.delivery.fallback.batches, 'the file has not a line for each batch'),
    must(inFile.size === fallback && file.flat().length === fallback, 'the file has not each span once'),
    must(![...accepted].some((n) => inFile.has(n)), 'delivered, and in the file as well'),
  ];
}

/** A fault strikes no more batches than the breaker lets out while it lasts. */
function strikeChecks({ before, after }: CellOutcome): readonly Problem[] {
  const struck = after.unanswered - before.unanswered;
  const { transitions, probes } = after.snapshot;
  // While CLOSED, as many as it takes to open and one redelivery; while OPEN, the probes, the last of them under way.
  const allowed = Math.max(1, transitions['CLOSED->OPEN']) * (FAILURES_TO_OPEN + 1) + probes.failure + 1;
  return [
    must(struck <= allowed, `${struck} sendings without an answer during the fault, ${allowed} allowed`),
  ];
}

/** The fault happened, and was overcome. */
function faultChecks({ fault, variant }: Cell, report: ServiceReport, tally: Tally): readonly Problem[] {
  const { opens = true, sigterm = false } = fault;
  const { state, transitions } = report.snapshot;
  const recovers = !sigterm && (fault.recovers?.(variant) ?? true);
  const { maxItems = 20_000 } = fault.service?.retention ?? {};
  return [
    must(transitions['CLOSED->OPEN'] > 0 === opens, `the circuit ${opens ? 'never' : 'has'} opened`),
    must(!recovers || state === 'CLOSED', `the circuit is ${state} in the end`),
    must(
      !sigterm || report.shutdownMillis <= LONGEST_SIGTERM_MILLIS,
      `the shutdown took ${Math.round(report.shutdownMillis)} ms`,
    ),
    must(tally.mostKept <= maxItems, `${tally.mostKept} kept, ${maxItems} allowed`),
    must(tally.peakMegabytes <= MOST_MEGABYTES, `${Math.round(tally.peakMegabytes)} MB at the peak`),
  ];
}

/** What is lost is what must be lost. */
function lossChecks({ fault, variant }: Cell, report: ServiceReport, tally: Tally): readonly Problem[] {
  const { opens = true, sigterm = false, mayLose = 'nothing' } = fault;
  const { redelivered } = report.snapshot.delivery;
  const { lost, fallback, reasons } = tally;
  const costs = opens || mayLose !== 'nothing';
  if (variant === 'none') {
    const expected = costs ? lost > 0 : lost <= report.sendings.unanswered.spans;
    return [must(expected, `${lost} lost without retention`)];
  }
  const givenUp = lost + fallback;
  const byReason = mayLose === 'nothing' ? 0 : (reasons[mayLose] ?? 0);
  return [
    must(givenUp === byReason, `${givenUp} given up, ${byReason} of them for "${mayLose}"`),
    must(mayLose === 'nothing' || byReason > 0, `nothing was given up for "${mayLose}"`),
    must(variant === 'retention' || lost === 0, `${lost} lost though there is a fallback`),
    must(!opens || sigterm || redelivered.items > 0, 'nothing was redelivered'),
  ];
}
