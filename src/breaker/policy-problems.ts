import { ignoreRejection } from '../internal/report-problem.ts';
import { show } from '../internal/validate-options.ts';

/** Receives what a policy threw, or an error that says what it returned instead of a boolean. Must not throw. */
export type PolicyProblemListener = (problem: unknown) => void;

let current: PolicyProblemListener = () => {};

/**
 * Sets the listener of the breaker that is about to call a policy: combined policies report the problems of their members
 * to it. (Policies are called synchronously, so there is one at a time.)
 *
 * @returns the listener before, to be set again after the call
 */
export function swapPolicyProblemListener(listener: PolicyProblemListener): PolicyProblemListener {
  const before = current;
  current = listener;
  return before;
}

/** The listener of the breaker that is calling a combined policy right now, for the problems of its members. */
export function memberProblemListener(): PolicyProblemListener {
  return current;
}

/** @throws TypeError for anything but a boolean; if it is a promise, its rejection does not end the process */
export function booleanFrom(answer: unknown): boolean {
  if (typeof answer === 'boolean') return answer;
  ignoreRejection(answer);
  throw new TypeError(`a policy must return true or false, got ${show(answer)}`);
}
