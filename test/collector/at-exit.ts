/** What is to be done when this process ends: also on SIGINT, SIGTERM and SIGHUP. */
import os from 'node:os';

/** Processes first: a folder is removed when nobody writes into it any more. */
const ORDER = ['processes', 'folders'] as const;

const jobs = new Map<(typeof ORDER)[number], () => void>();

/** @param what - a second job of the same name takes the place of the first */
export function atExit(what: (typeof ORDER)[number], job: () => void): void {
  if (jobs.size === 0) listen();
  jobs.set(what, job);
}

function listen(): void {
  process.on('exit', () => {
    for (const what of ORDER) jobs.get(what)?.();
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => process.exit(128 + os.constants.signals[signal]));
  }
}
