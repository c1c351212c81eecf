import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fallback } from '../../src/delivery/fallback.ts';
import { IdleTicks } from '../../src/delivery/idle-ticks.ts';
import { Ledger } from '../../src/delivery/ledger.ts';
import { Redelivery } from '../../src/delivery/redelivery.ts';
import { Retention } from '../../src/delivery/retention.ts';
import { RetentionQueue } from '../../src/delivery/retention-queue.ts';
import { nothingIsMislaid } from './delivery-world.ts';
import { runs, seed } from './seed.ts';

/** Puts something else in the place of a method, and answers what takes it out again. */
function plant<P extends object, K extends keyof P>(
  prototype: P,
  method: K,
  make: (original: P[K]) => P[K],
): () => void {
  const original = prototype[method];
  prototype[method] = make(original);
  return () => {
    prototype[method] = original;
  };
}

const bugs: readonly (readonly [string, () => () => void])[] = [
  [
    'the batch being sent again can be evicted',
    () => plant(RetentionQueue.prototype, 'hold', () => () => {}),
  ],
  [
    'the newest goes first',
    () =>
      plant(
        RetentionQueue.prototype,
        'oldestAfter',
        (original) =>
          function (this: RetentionQueue<unknown>, number) {
            let newest = original.call(this, number);
            for (let next = newest; next !== undefined; next = original.call(this, next.number))
              newest = next;
            return newest;
          },
      ),
  ],
  [
    'a failed redelivery does not cancel the grants',
    () => plant(Redelivery.prototype, 'cancel', () => () => {}),
  ],
  [
    'what failed grants redeliveries, too',
    () =>
      plant(
        Redelivery.prototype,
        'liveSettled',
        (original) =>
          function (this: Redelivery<unknown>) {
            original.call(this, 'success');
          },
      ),
  ],
  [
    'every success grants twice',
    () =>
      plant(
        Redelivery.prototype,
        'liveSettled',
        (original) =>
          function (this: Redelivery<unknown>, classification) {
            original.call(this, classification);
            original.call(this, classification);
          },
      ),
  ],
  ['offers do not put off the tick', () => plant(IdleTicks.prototype, 'postpone', () => () => {})],
  ['the timer of ticks is never stopped', () => plant(IdleTicks.prototype, 'stop', () => () => {})],
  ['a shutdown does not end the keeping', () => plant(Retention.prototype, 'end', () => () => {})],
  [
    'the age of batches is not looked at',
    () => plant(RetentionQueue.prototype, 'takeExpired', () => () => []),
  ],
  [
    'an eviction is counted under another reason',
    () =>
      plant(
        Ledger.prototype,
        'evict',
        (original) =>
          function (this: Ledger, items, reason) {
            original.call(this, items, reason === 'expired' ? 'full' : reason);
          },
      ),
  ],
  [
    'what is lost is counted as accepted by the fallback',
    () =>
      plant(
        Ledger.prototype,
        'lose',
        () =>
          function (this: Ledger, items) {
            this.fallBack(items);
          },
      ),
  ],
  [
    'the fallback tells its caller twice',
    () =>
      plant(
        Fallback.prototype,
        'send',
        (original) =>
          function (this: Fallback<unknown>, batch, items, listener) {
            return original.call(this, batch, items, (result) => {
              listener(result);
              listener(result);
            });
          },
      ),
  ],
  [
    'one batch too many is lost in the books',
    () =>
      plant(
        Ledger.prototype,
        'fallBack',
        (original) =>
          function (this: Ledger, items) {
            original.call(this, items);
            if (items === 3) this.lose(items);
          },
      ),
  ],
];

describe(`a property that bites (FC_SEED=${seed})`, () => {
  it.each(bugs)('catches: %s', async (_what, planted) => {
    const takeOut = planted();
    try {
      const details = await fc.check(nothingIsMislaid(), { ...runs(1_000), endOnFailure: true });
      expect(details.failed).toBe(true);
      expect(details.errorInstance).toBeInstanceOf(Error);
    } finally {
      takeOut();
    }
  });

  it('finds nothing again, once nothing is planted', async () => {
    expect(fc.defaultReportMessage(await fc.check(nothingIsMislaid(), runs(100)))).toBeUndefined();
  });
});
