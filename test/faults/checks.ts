import type { Cell, CellOutcome } from './cell.ts';
import type { ServiceReport, Variant } from './protocol.ts';
import type { Tally } from './tally.ts';

/** Consecutive failures that open the circuit: the default policy. */
const FAILURES_TO_OPEN = 3;
/** So many exports are handed over and unanswered at most. */
const MOST_HANDED_OVER = 3;
/** What the process needs besides, on a busy machine. */
const SLACK_MILLIS = 1_000;
/** Without retention nobody hands over: an export takes as long as the OTLP exporter's own time-out. */
const OTLP_TIMEOUT_MILLIS = 10_000;
const MOST_MEGABYTES = 256;

/** Everything that must hold of a cell. */
export function check(cell: Cell, outcome: CellOutcome, tally: Tally): readonly string[] {
  return [
    ...outcome.problems,
    ...outcome.report.problems.map((problem) => `onError heard: ${problem}`),
    ...[
      ...bookChecks(cell, outcome.report, tally),
      ...receiverChecks(cell, outcome, tally),
      ...strikeChecks(outcome),
      ...faultChecks(cell, outcome, tally),
      ...lossChecks(cell, outcome.report, tally),
    ].filter((problem) => problem !== undefined),
  ];
}

type Problem = string | undefined;

function must(holds: boolean, otherwise: string): Problem {
  return holds ? undefined : otherwise;
}

/** The books balance, and hold every span that was made; with retention the processor drops none. */
function bookChecks(
  { variant }: Cell,
  { snapshot, imbalances }: ServiceReport,
  { dropped }: Tally,
): readonly Problem[] {
  const { kept, inFlight } = snapshot.delivery;
  return [
    must(imbalances === 0, `delivery did not balance at ${imbalances} looks`),
    must(dropped === 0 || (variant === 'none' && dropped > 0), `the processor dropped ${dropped} spans`),
    must(kept.items + inFlight.items === 0, `${kept.items} kept and ${inFlight.items} in flight in the end`),
  ];
}

/** `delivery` says what the receiver and the file saw, span by span. */
function receiverChecks(
  { fault: { sigterm = false } }: Cell,
  { report, stats, file }: CellOutcome,
  tally: Tally,
): readonly Problem[] {
  const { made, dropped, delivered, duplicated, fallback, lost, arrived, accepted, inFile } = tally;
  const { sendings, snapshot } = report;
  const { unanswered, late, sentAfterAccepted } = sendings;
  // The OTLP exporter repeats a request by itself: one that had no answer may be behind any export.
  const uncertain = unanswered.spans + stats.unanswered.spans;
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
      inLimbo >= 0 && inLimbo <= uncertain,
      `${arrived.size} arrived, ${delivered} delivered, and only ${uncertain} without an answer`,
    ),
    must(missing <= lost + dropped, `${missing} spans are nowhere, ${lost} lost, ${dropped} dropped`),
    must(
      lost + dropped - missing <= uncertain + inFile.size - fallback,
      `${lost} lost, yet only ${missing - dropped} are nowhere`,
    ),
    must(sentAfterAccepted === 0, `${sentAfterAccepted} spans sent again though they were accepted`),
    must(
      duplicated <= uncertain,
      `${duplicated} duplicates, ${uncertain} spans in requests without an answer`,
    ),
    must(inFile.size === file.flat().length, 'the file has a span twice'),
    // What the file had not taken when the time was over is lost, and may be there all the same.
    must(
      inFile.size >= fallback && inFile.size - fallback <= (sigterm ? lost : 0),
      `${inFile.size} spans in the file, ${fallback} with the fallback`,
    ),
    must(
      file.length === snapshot.delivery.fallback.batches || inFile.size > fallback,
      'the file has not a line for each batch',
    ),
    must(![...accepted].some((n) => inFile.has(n)), 'delivered, and in the file as well'),
  ];
}

/** A fault strikes no more batches than the breaker lets out while it lasts. */
function strikeChecks({ before, after }: CellOutcome): readonly Problem[] {
  const struck = after.unanswered - before.unanswered;
  const { transitions, probes } = after.snapshot;
  // While CLOSED: what is handed over, one more for each failure before the last, and a redelivery. While OPEN: the probes.
  const whileClosed = MOST_HANDED_OVER + FAILURES_TO_OPEN - 1 + 1;
  const allowed = Math.max(1, transitions['CLOSED->OPEN']) * whileClosed + probes.failure + 1;
  return [
    must(struck <= allowed, `${struck} exports without an answer during the fault, ${allowed} allowed`),
  ];
}

/** The fault happened, and was overcome. */
function faultChecks(
  { fault, variant }: Cell,
  { report, exitMillis }: CellOutcome,
  tally: Tally,
): readonly Problem[] {
  const { opens = true, sigterm = false } = fault;
  const { state, transitions } = report.snapshot;
  const recovers = !sigterm && (fault.recovers?.(variant) ?? true);
  const { maxItems = Number.POSITIVE_INFINITY } = fault.service?.retention ?? {};
  const longest = longestExitMillis(variant, report);
  return [
    must(
      opens === 'perhaps' || transitions['CLOSED->OPEN'] > 0 === opens,
      `the circuit ${opens ? 'never' : 'has'} opened`,
    ),
    must(!recovers || state === 'CLOSED', `the circuit is ${state} in the end`),
    must(
      !sigterm || exitMillis <= longest,
      `${Math.round(exitMillis)} ms from SIGTERM, ${report.stateAtEnd}, to the end, ${longest} allowed`,
    ),
    must(tally.mostKept <= maxItems, `${tally.mostKept} kept, ${maxItems} allowed`),
    must(tally.peakMegabytes <= MOST_MEGABYTES, `${Math.round(tally.peakMegabytes)} MB at the peak`),
  ];
}

/** How long the process may take from SIGTERM to its end. */
function longestExitMillis(variant: Variant, { stateAtEnd, sendings }: ServiceReport): number {
  if (stateAtEnd !== 'CLOSED') return 1_000 + SLACK_MILLIS;
  if (variant === 'none') return OTLP_TIMEOUT_MILLIS + SLACK_MILLIS;
  // The last batch is handed over, and then nothing is answered for the exporter's patience: 0.5 s where a busy machine
  // does not make a healthy backend slow.
  const usual = 4 * sendings.slowestMillis;
  return Math.min(1_000, Math.max(100, usual)) + Math.min(5_000, Math.max(500, usual)) + SLACK_MILLIS;
}

/** What is lost is what must be lost. */
function lossChecks({ fault, variant }: Cell, report: ServiceReport, tally: Tally): readonly Problem[] {
  const { opens = true, sigterm = false, mayLose = 'nothing' } = fault;
  const { redelivered } = report.snapshot.delivery;
  const { lost, fallback, reasons } = tally;
  if (variant === 'none') {
    // What a circuit that may open costs, nobody can say.
    if (opens === 'perhaps') return [];
    const costs = opens || mayLose !== 'nothing';
    const expected = costs ? lost > 0 : lost <= report.sendings.unanswered.spans;
    return [must(expected, `${lost} lost without retention`)];
  }
  const givenUp = lost + fallback;
  const byReason = mayLose === 'nothing' ? 0 : (reasons[mayLose] ?? 0);
  return [
    must(givenUp === byReason, `${givenUp} given up, ${byReason} of them for "${mayLose}"`),
    must(mayLose === 'nothing' || byReason > 0, `nothing was given up for "${mayLose}"`),
    must(variant === 'retention' || sigterm || lost === 0, `${lost} lost though there is a fallback`),
    must(opens !== true || sigterm || redelivered.items > 0, 'nothing was redelivered'),
  ];
}
