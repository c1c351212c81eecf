import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ExportResultLike } from '../../src/index.ts';
import { CircuitBreakerExporter, consecutiveFailures } from '../../src/index.ts';
import { ManualClock } from '../../src/testing/index.ts';
import { anyCommands, anyOptions } from './delivery/commands.ts';
import { World } from './delivery/world.ts';
import { runs } from './runs.ts';

type Answer = (result: ExportResultLike) => void;
type Batch = readonly number[];

const SUCCESS: ExportResultLike = { code: 0 };
const FAILURE: ExportResultLike = { code: 1, error: new Error('down') };

/** Time stands still, so that nothing but live traffic and `redeliver()` sends, and nothing is handed over. */
function exporterTo(
  inner: (batch: Batch, answer: Answer) => void,
  options: { pace?: number; maxAttempts?: number; threshold?: number } = {},
) {
  const { threshold = 2, ...retention } = options;
  return new CircuitBreakerExporter<Batch>(
    { export: inner, shutdown: async () => {} },
    {
      clock: new ManualClock(),
      tripPolicy: consecutiveFailures(threshold),
      probePolicy: ({ attempt }) => attempt % 2 === 0,
      retention,
    },
  );
}

/** What must happen among all histories: a property that never gets there proves nothing. */
const INTERESTING = [
  ...[
    'granted',
    'granted late',
    'redelivered',
    'sent by redeliver()',
    'sent at shutdown',
    'given to the fallback',
    'rejected',
  ],
  ...['ticks while CLOSED', 'ticks while OPEN', 'kept batches as probes', 'live probes', 'double answers'],
  ...['handed over', 'probes handed over', 'kept at once behind three'],
  ...[
    'late answers',
    'time-outs',
    'time-outs of redeliveries',
    'failures that count',
    'failures that do not count',
  ],
  ...['evicted: full', 'evicted: expired', 'evicted: attempts', 'evicted: invalid', 'evicted: shutdown'],
  ...[
    'evicted: unreadable',
    'lost: rejected',
    'lost: failure',
    'lost: invalid',
    'lost: ignored',
    'lost: full',
  ],
  ...[
    'lost: expired',
    'lost: attempts',
    'lost: shutdown',
    'lost: unreadable',
    'lost: fallback',
    'lost: ended',
  ],
];

describe('delivery', () => {
  it('accounts for every batch at every moment, and does nothing that it must not, whatever happens', async () => {
    const seen: Record<string, number> = {};
    await fc.assert(
      fc.asyncProperty(anyOptions, anyCommands, fc.boolean(), async (options, commands, recovers) => {
        const world = new World(options);
        await fc.asyncModelRun(() => ({ model: {}, real: world }), commands);
        await world.end(recovers);
        for (const [what, times] of Object.entries(world.books.facts.seen))
          seen[what] = (seen[what] ?? 0) + times;
      }),
      runs(1_500),
    );

    for (const what of INTERESTING) expect(seen[what] ?? 0, what).toBeGreaterThan(0);
  });

  it('gives a backend whose FAILED means "not received" every batch exactly once, and kept ones in their order', async () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.constant('export' as const) },
      { weight: 5, arbitrary: fc.constant('answer' as const) },
      { weight: 1, arbitrary: fc.constantFrom('up' as const, 'down' as const, 'slow' as const) },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 10, maxLength: 80, size: 'max' }),
        fc.nat(),
        fc.constantFrom(1, 3, Number.POSITIVE_INFINITY),
        async (steps, entropy, pace) => {
          const received: number[] = [];
          const kept: number[] = [];
          const open: { batch: Batch; answer: Answer }[] = [];
          let is: 'up' | 'down' | 'slow' = 'up';
          let failedAgain = false;
          const answer = (batch: Batch, callback: Answer): void => {
            const [number = -1] = batch;
            if (is !== 'down') received.push(number);
            else if (kept.includes(number)) failedAgain = true;
            callback(is === 'down' ? FAILURE : SUCCESS);
          };
          const exporter = exporterTo(
            (batch, callback) => {
              if (is === 'slow') open.push({ batch, answer: callback });
              else answer(batch, callback);
            },
            { pace, maxAttempts: 1_000 },
          );
          let made = 0;
          for (const [index, what] of steps.entries()) {
            if (what === 'export') {
              const number = made++;
              exporter.export([number], ({ code }) => {
                if (code !== 0) throw new Error('not kept');
                if (received.at(-1) !== number) kept.push(number);
              });
            } else if (what === 'answer') {
              const [chosen] = open.splice((entropy + index) % Math.max(1, open.length), 1);
              if (chosen !== undefined) answer(chosen.batch, chosen.answer);
            } else {
              is = what;
            }
          }
          is = 'up';
          for (const { batch, answer: callback } of open.splice(0)) answer(batch, callback);
          exporter.breaker.reset();
          await exporter.redeliver();

          expect([...received].sort((a, b) => a - b)).toEqual(
            Array.from({ length: made }, (_, number) => number),
          );
          const keptOnes = new Set(kept);
          // One that failed again waits for its turn.
          if (!failedAgain) expect(received.filter((number) => keptOnes.has(number))).toEqual(kept);
          expect(exporter.snapshot().delivery).toMatchObject({
            delivered: { batches: made },
            redelivered: { batches: kept.length },
            lost: { batches: 0 },
          });
        },
      ),
      runs(500),
    );
  });

  it('never sends a recovering backend more than 1 + pace times the live traffic, and holds no live batch up', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 0, max: 60 }),
        fc.array(fc.record({ live: fc.boolean(), which: fc.nat(20), fails: fc.nat(9) }), {
          maxLength: 150,
          size: 'max',
        }),
        (pace, kept, steps) => {
          const open: { answer: Answer }[] = [];
          let arrived = 0;
          let live = 0;
          const exporter = exporterTo(
            (_batch, answer) => {
              arrived++;
              open.push({ answer });
            },
            { pace },
          );
          exporter.breaker.forceOpen();
          for (let i = 0; i < kept; i++) exporter.export([i], () => {});
          exporter.breaker.forceClosed();
          for (const { live: isLive, which, fails } of steps) {
            const before = arrived;
            if (isLive) {
              exporter.export([live++], () => {});
              expect(arrived).toBe(before + 1);
            } else {
              const [chosen] = open.splice(which % Math.max(1, open.length), 1);
              chosen?.answer(fails === 0 ? FAILURE : SUCCESS);
              expect(arrived - before).toBeLessThanOrEqual(1);
            }
            expect(arrived).toBeLessThanOrEqual((1 + pace) * live);
          }
        },
      ),
      runs(500),
    );
  });

  it('lets no poisoned batch open the circuit again, nor stand in the way of others for ever', () => {
    fc.assert(
      fc.property(
        fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 1, max: 4 }),
        fc.constantFrom(1, 2, Number.POSITIVE_INFINITY),
        fc.constantFrom<'fails' | 'invalid'>('fails', 'invalid'),
        (poisoned, maxAttempts, pace, how) => {
          const result =
            how === 'fails'
              ? FAILURE
              : { code: 1, error: Object.assign(new Error('Bad Request'), { code: 400 }) };
          const received: number[] = [];
          const exporter = exporterTo(
            ([number = -1], answer) => {
              if (poisoned[number] === true) return answer(result);
              received.push(number);
              answer(SUCCESS);
            },
            { maxAttempts, pace, threshold: 1 },
          );
          exporter.breaker.forceOpen();
          for (const number of poisoned.keys()) exporter.export([number], () => {});
          exporter.breaker.reset();
          const bad = poisoned.filter((is) => is).length;

          for (let i = 0; i < poisoned.length + bad * maxAttempts; i++) exporter.export([1_000], () => {});

          const { state, transitions, delivery } = exporter.snapshot();
          expect(state).toBe('CLOSED');
          expect(transitions['CLOSED->OPEN']).toBe(1);
          expect(received.filter((number) => number < 1_000)).toEqual(
            [...poisoned.keys()].filter((number) => poisoned[number] === false),
          );
          expect(delivery.kept.batches).toBe(0);
          expect(delivery.evicted).toMatchObject(
            how === 'fails' ? { attempts: bad, invalid: 0 } : { attempts: 0, invalid: bad },
          );
        },
      ),
      runs(300),
    );
  });
});
