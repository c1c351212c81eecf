import type { Clock } from '../breaker/clock.ts';
import { runDetached } from './suppress-tracing.ts';

/** The same clock; its timers hold nothing of the caller's asynchronous context. */
export function detachedClock(clock: Clock): Clock {
  return {
    now: () => clock.now(),
    schedule: (callback, delayMillis, keepAlive) =>
      runDetached(() => clock.schedule(callback, delayMillis, keepAlive)),
  };
}
