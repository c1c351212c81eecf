import { isMainThread } from 'node:worker_threads';

/** A process that is still there by then did not take the signal as its end. */
const LONGEST_END_MILLIS = 60_000;

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

let endingSince = Number.NEGATIVE_INFINITY;

/** Whether the process has been told to end, and somebody is seeing to it. */
export function isEnding(): boolean {
  return performance.now() - endingSince < LONGEST_END_MILLIS;
}

/**
 * Notices SIGTERM and SIGINT where somebody else listens, and only as long as somebody does: a listener, ours too, keeps
 * the signal from ending the process.
 */
export function watchSignals(): void {
  // A worker thread gets no signals.
  if (!isMainThread) return;
  for (const signal of SIGNALS) {
    const listener = (): void => {
      endingSince = performance.now();
    };
    const follow = (): void => {
      const ours = process.listeners(signal).includes(listener) ? 1 : 0;
      const others = process.listenerCount(signal) - ours - listenersOfSignalExit();
      if (others > 0 && ours === 0) process.prependListener(signal, listener);
      else if (others <= 0 && ours > 0) process.removeListener(signal, listener);
    };
    const concerns = (event: string | symbol, changed: unknown): boolean =>
      event === signal && changed !== listener;
    process.on('newListener', (event, added) => {
      // It is not there yet.
      if (concerns(event, added)) process.nextTick(follow);
    });
    process.on('removeListener', (event, removed) => {
      // At once: it may be about to send itself the signal again, to end by it.
      if (concerns(event, removed)) follow();
    });
    follow();
  }
}

/**
 * How many of a signal's listeners are those of the package `signal-exit`, 3.x and 4.x. It ends the process by the
 * signal where nobody else listens, which it decides by counting: ours would make it believe that somebody does.
 */
function listenersOfSignalExit(): number {
  const emitters = [
    (process as { __signal_exit_emitter__?: unknown }).__signal_exit_emitter__,
    (globalThis as Record<symbol, unknown>)[Symbol.for('signal-exit emitter')],
  ];
  return emitters.reduce<number>((sum, emitter) => {
    const { count } = (emitter ?? {}) as { count?: unknown };
    return sum + (typeof count === 'number' ? count : 0);
  }, 0);
}
