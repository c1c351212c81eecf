import { SECRET } from './circuit-comparison.ts';
import type { Step } from './circuit-system.ts';

/** A result that the inner exporter can give. */
export interface Answer {
  readonly label: string;
  /** A new one each time: the model tells results apart by identity. */
  result(): unknown;
}

/** What the inner exporter does when it is given a batch. */
export interface Reaction {
  readonly label: string;
  steps(): readonly Step[];
}

const coded = (message: string, code: string | number | undefined): Error =>
  Object.assign(new Error(message), code === undefined ? {} : { code });

const answerWith = (label: string, result: () => unknown): Answer => ({ label, result });

const success = answerWith('success', () => ({ code: 0 }));
const failure = answerWith('failure', () => ({
  code: 1,
  error: coded(`connect ECONNREFUSED ${SECRET}`, 'ECONNREFUSED'),
}));

const others: readonly Answer[] = [
  answerWith('invalid', () => ({ code: 1, error: coded(`Bad Request ${SECRET}`, 400) })),
  answerWith('ignored', () => ({ code: 1, error: coded('Concurrent export limit reached', undefined) })),
  answerWith('failure without error', () => ({ code: 1 })),
  answerWith('failure with code 2', () => ({ code: 2, error: coded(`Unauthorized ${SECRET}`, 401) })),
  answerWith('failure with a plain object', () => ({ code: 1, error: { message: `refused ${SECRET}` } })),
  answerWith('no result', () => undefined),
];

/** The results; likely ones are there more than once. */
export const ANSWERS: readonly Answer[] = [success, failure, success, failure, ...others, success, failure];

const answersAtOnce = ({ label, result }: Answer): Reaction => ({
  label,
  steps: () => [{ kind: 'answer', result: result() }],
});

/** A backend that works, and one that is down. */
export const SUCCEEDS: Reaction = answersAtOnce(success);
export const FAILS: Reaction = answersAtOnce(failure);

/** Waits for an `Answer` command, which may never come. */
const holds: Reaction = { label: 'held', steps: () => [] };

const boom = (): Error => coded(`boom ${SECRET}`, 'EBOOM');

const fails: readonly Reaction[] = [
  { label: 'throws', steps: () => [{ kind: 'throw', error: boom() }] },
  { label: 'rejected promise', steps: () => [{ kind: 'reject', error: boom() }] },
  {
    label: 'success twice',
    steps: () => [success, success].map((answer) => ({ kind: 'answer', result: answer.result() })),
  },
  {
    label: 'failure, then success',
    steps: () => [failure, success].map((answer) => ({ kind: 'answer', result: answer.result() })),
  },
  {
    label: 'success, then throws',
    steps: () => [
      { kind: 'answer', result: success.result() },
      { kind: 'throw', error: boom() },
    ],
  },
];

/** The reactions; likely ones are there more than once. */
export const REACTIONS: readonly Reaction[] = [
  ...[success, failure].map(answersAtOnce),
  holds,
  ...others.map(answersAtOnce),
  ...fails,
  ...[success, success, failure, failure, failure].map(answersAtOnce),
  holds,
  holds,
  holds,
  holds,
];
