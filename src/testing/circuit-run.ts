import type { CircuitCommand } from './circuit-command.ts';

/** A random schedule of commands, and after it those that end every run. Shrinking leaves out commands of the schedule. */
export class CircuitRun implements Iterable<CircuitCommand> {
  readonly #schedule: Iterable<CircuitCommand>;
  readonly #ending: readonly CircuitCommand[];
  readonly #ran: CircuitCommand[] = [];

  constructor(schedule: Iterable<CircuitCommand>, ending: readonly CircuitCommand[]) {
    this.#schedule = schedule;
    this.#ending = ending;
  }

  *[Symbol.iterator](): Iterator<CircuitCommand> {
    yield* this.#schedule;
    for (const command of this.#ending) {
      this.#ran.push(command);
      yield command;
    }
  }

  /** The commands that have run. */
  toString(): string {
    return [this.#schedule, ...this.#ran].map((part) => `${part}`.trim()).join(',');
  }
}
