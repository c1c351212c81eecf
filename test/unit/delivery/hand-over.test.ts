import { describe, expect, it } from 'vitest';
import type { Batch } from './rig.ts';
import {
  balance,
  FAILURE,
  NOT_SENT,
  NOTHING,
  pass,
  REFUSED,
  Rig,
  recordWarnings,
  SUCCESS,
  settled,
  watch,
} from './rig.ts';

recordWarnings();

/** An exporter whose eight last live sendings took so long; the circuit never opens by itself. */
function usual(millis: number, options: ConstructorParameters<typeof Rig>[0] = {}): Rig {
  const rig = new Rig({
    tripPolicy: undefined,
    exportTimeoutMillis: 0,
    ...options,
    retention: options.retention ?? {},
  });
  rig.inner.does = 'hold';
  for (let i = 0; i < 8; i++) {
    rig.export('usual');
    rig.clock.advance(millis);
    rig.inner.release();
  }
  return rig;
}

/** A batch that is handed over and unanswered. */
function handedOver(options: ConstructorParameters<typeof Rig>[0] = {}, items = 3): Rig {
  const rig = new Rig({ ...options, retention: { idleMillis: 0, ...options.retention } });
  rig.inner.does = 'hold';
  rig.export('A', items);
  rig.clock.advance(1_000);
  expect(rig.told['A']).toEqual([SUCCESS]);
  expect(rig.delivery).toMatchObject({ inFlight: { batches: 1, items }, kept: NOTHING });
  return rig;
}

/** After how long the caller of the next batch is told. */
function toldAfter(rig: Rig, name = 'slow'): number {
  rig.inner.does = 'hold';
  rig.export(name);
  for (let millis = 0; millis <= 2_000; millis++) {
    if (rig.told[name]?.length === 1) return millis;
    rig.clock.advance(1);
  }
  return Number.POSITIVE_INFINITY;
}

describe('a live sending is handed over when it takes longer than usual', () => {
  it.each([
    ['1 s before the first success', () => new Rig({ exportTimeoutMillis: 0 }), 1_000],
    ['four times the slowest of the last eight', () => usual(60), 240],
    ['handOverMillis at least', () => usual(1), 100],
    ['1 s at most', () => usual(700), 1_000],
    ['handOverMillis, where that is longer', () => usual(1, { retention: { handOverMillis: 2_000 } }), 2_000],
    ['any handOverMillis', () => usual(1, { retention: { handOverMillis: 10 } }), 10],
  ])('%s', (_, arrange, millis) => {
    expect(toldAfter(arrange())).toBe(millis);
  });

  it('never with handOverMillis 0, and without retention', () => {
    expect(toldAfter(usual(1, { retention: { handOverMillis: 0 } }))).toBe(Number.POSITIVE_INFINITY);
    expect(toldAfter(new Rig({ retention: false }))).toBe(Number.POSITIVE_INFINITY);
  });

  it('after handOverMillis as soon as another one is handed over and unanswered, and no longer', () => {
    const rig = usual(200);
    expect(toldAfter(rig, 'A')).toBe(800);
    expect(toldAfter(rig, 'B')).toBe(100);
    for (let i = 0; i < 2; i++) rig.inner.release();
    rig.clock.advance(1);
    expect(toldAfter(rig, 'C')).toBeGreaterThan(800);
  });

  it('together with those that have waited for as long already', () => {
    const rig = usual(200);
    rig.export('A');
    rig.clock.advance(700);
    rig.export('B');
    rig.clock.advance(100);
    expect([rig.told['A'], rig.told['B']]).toEqual([[SUCCESS], [SUCCESS]]);
  });

  it('also when what is usual has become shorter while it waits', () => {
    const rig = new Rig({ exportTimeoutMillis: 0 });
    rig.inner.does = 'hold';
    rig.export('quick');
    rig.export('slow');
    rig.clock.advance(10);
    rig.inner.release();
    rig.clock.advance(90);
    expect(rig.told).toMatchObject({ quick: [SUCCESS], slow: [SUCCESS] });
    expect(rig.delivery.inFlight.batches).toBe(1);
  });

  it('also by an offer, where no timer fires', () => {
    const rig = new Rig({ exportTimeoutMillis: 0 });
    rig.clock.losesTimers = true;
    rig.inner.does = 'hang';
    rig.export('A');
    rig.clock.advance(1_000);
    rig.export('B');
    expect(rig.told['A']).toEqual([]);
    rig.clock.advance(50);
    rig.export('C');
    expect(rig.told['A']).toEqual([SUCCESS]);
  });

  it('and not once it is answered, though a listener of the circuit finds it overdue before its caller is told', () => {
    for (const answer of [FAILURE, SUCCESS]) {
      const rig = new Rig({
        exportTimeoutMillis: 0,
        tripPolicy: {
          createDetector: () => ({ onSuccess: () => true, onFailure: () => true, reset: () => {} }),
        },
        retention: { idleMillis: 0 },
      });
      rig.clock.losesTimers = true;
      rig.inner.does = 'hold';
      rig.export('A');
      rig.clock.advance(1_000);
      rig.export('B');
      rig.clock.advance(50);
      rig.breaker.onTransition(() => rig.export('nested'));
      rig.inner.release(answer);
      expect(rig.told['A']).toEqual([SUCCESS]);
      expect(rig.delivery).toMatchObject({
        offered: { batches: 3 },
        delivered: { batches: answer === SUCCESS ? 1 : 0 },
        kept: { batches: answer === SUCCESS ? 1 : 2 },
        inFlight: { batches: 1 },
      });
    }
  });

  it('and its caller is told once, before the exporter has answered; what it throws goes to onError', () => {
    const rig = new Rig();
    rig.inner.does = 'hold';
    rig.exporter.export(['A'], () => {
      throw new Error('mine');
    });
    rig.clock.advance(1_000);
    expect(rig.problems).toEqual(['exporter "otlp": a result callback threw']);
    expect(() => rig.inner.release()).not.toThrow();
    expect(rig.delivery).toMatchObject({ delivered: { batches: 1 } });
  });
});

describe('quick answers reach the caller as they are', () => {
  it.each([
    ['SUCCESS', SUCCESS, SUCCESS],
    ['invalid', REFUSED, REFUSED],
    ['kept', FAILURE, SUCCESS],
  ])('%s', (_, answer, told) => {
    const rig = usual(60);
    rig.export('A');
    rig.clock.advance(239);
    expect(rig.told['A']).toEqual([]);
    for (const release of rig.inner.held.splice(0)) release(answer);
    expect(rig.told['A']).toEqual([told]);
  });
});

describe('what is handed over', () => {
  it('is delivered when it is answered with SUCCESS, and leaves no trace in retention', () => {
    const rig = handedOver();
    rig.inner.release();
    expect(rig.delivery).toMatchObject({
      delivered: { batches: 1, items: 3 },
      redelivered: NOTHING,
      inFlight: NOTHING,
      kept: NOTHING,
    });
    expect(rig.told['A']).toHaveLength(1);
    rig.export('live');
    expect(rig.inner.names).toEqual(['A', 'live']);
  });

  it.each([
    ['fails', FAILURE],
    ['is ignored', NOT_SENT],
  ])('is kept when it %s, and its caller is not told again', (_, answer) => {
    const rig = handedOver({ fallback: true });
    rig.inner.release(answer);
    expect(rig.told['A']).toHaveLength(1);
    expect(rig.delivery).toMatchObject({ kept: { batches: 1, items: 3 }, inFlight: NOTHING, lost: NOTHING });
  });

  it('is kept once, in its place, when it times out', () => {
    const rig = handedOver();
    rig.keep('B');
    rig.clock.advance(14_000);
    expect(rig.delivery).toMatchObject({ kept: { batches: 2, items: 4 }, inFlight: NOTHING });
    rig.breaker.reset();
    rig.inner.does = 'success';
    void rig.exporter.redeliver();
    expect(rig.inner.names).toEqual(['A', 'A', 'B']);
    expect(rig.inner.batches[1]).toEqual(['A', 'A', 'A']);
  });

  it('goes to the fallback when it is invalid, else it is lost', () => {
    const passedOn = handedOver({ fallback: true });
    passedOn.inner.release(REFUSED);
    expect(passedOn.fallback.batches).toEqual([['A', 'A', 'A']]);
    expect(passedOn.delivery).toMatchObject({ fallback: { batches: 1, items: 3 }, kept: NOTHING });
    const lost = handedOver();
    lost.inner.release(REFUSED);
    expect(lost.delivery).toMatchObject({ lost: { items: 3 }, lostBy: { invalid: 3 }, kept: NOTHING });
    expect(lost.told['A']).toEqual([SUCCESS]);
  });

  it('is a copy of an array for all that comes after: its owner may use it again', () => {
    for (const answer of [REFUSED, FAILURE]) {
      const rig = new Rig({ fallback: true, retention: { idleMillis: 0 } });
      const given = ['A', 'B'];
      rig.inner.does = 'hold';
      rig.exporter.export(given, () => void given.splice(0));
      rig.clock.advance(1_000);
      expect(given).toEqual([]);
      rig.inner.release(answer);
      rig.breaker.reset();
      rig.inner.does = 'success';
      void rig.exporter.redeliver();
      const seen: Batch | undefined = answer === REFUSED ? rig.fallback.batches[0] : rig.inner.batches[1];
      expect(seen).toEqual(['A', 'B']);
    }
  });

  it('moves policy, state, streaks and numbers as any live result', () => {
    const rig = handedOver();
    rig.inner.release(FAILURE);
    expect(rig.exporter.snapshot()).toMatchObject({
      state: 'OPEN',
      consecutiveFailures: 1,
      exports: { failure: 1 },
      items: { failure: 3 },
      exportDurations: { sum: 1 },
      transitions: { 'CLOSED->OPEN': 1 },
    });
    const good = handedOver();
    good.keepAndClose('B');
    good.inner.does = 'success';
    // A result counts in its own generation; a success of a live batch while CLOSED pays for a redelivery all the same.
    good.inner.release();
    expect(good.inner.names).toEqual(['A', 'B']);
  });

  it('was no failed redelivery, and pays for one when it gets through', () => {
    const rig = handedOver({ tripPolicy: undefined, retention: { maxAttempts: 1 } });
    rig.inner.does = 'success';
    rig.export('live');
    rig.inner.release(FAILURE);
    expect(rig.delivery).toMatchObject({ kept: { batches: 1 }, evicted: { attempts: 0 } });
    rig.export('live');
    expect(rig.delivery).toMatchObject({ kept: NOTHING, redelivered: { batches: 1 } });
  });

  it('has its place in the order from then on', () => {
    const rig = handedOver({ tripPolicy: undefined });
    rig.inner.does = FAILURE;
    rig.export('B');
    rig.inner.release(FAILURE);
    rig.inner.does = 'success';
    void rig.exporter.redeliver();
    expect(rig.inner.names).toEqual(['A', 'B', 'A', 'B']);
  });

  it('has its place in the budget, and is never evicted', () => {
    const rig = handedOver({ fallback: true, retention: { maxItems: 5 } });
    rig.keep('B', 'C');
    expect(rig.fallback.names).toEqual([]);
    rig.export('D', 2);
    expect(rig.fallback.names).toEqual(['B', 'C']);
    rig.export('E', 3);
    expect(rig.fallback.names).toEqual(['B', 'C', 'E']);
    expect(rig.delivery).toMatchObject({ inFlight: { items: 3 }, kept: { items: 2 } });
  });

  it('is not evicted for its age', () => {
    const rig = handedOver({ exportTimeoutMillis: 0, fallback: true, retention: { maxAgeMillis: 500 } });
    rig.clock.advance(5_000);
    rig.keep('B');
    expect(rig.fallback.names).toEqual([]);
    rig.inner.release();
    expect(rig.delivery).toMatchObject({ delivered: { items: 3 }, evicted: { expired: 0 } });
  });

  it('makes room by the oldest, and a fallback that calls back sees the books balanced', () => {
    const rig = new Rig({
      fallback: true,
      exportTimeoutMillis: 0,
      retention: { maxItems: 4, idleMillis: 0 },
    });
    rig.keepAndClose('B', 'C', 'D', 'E');
    const seen: number[][] = [];
    rig.fallback.onExport = () => {
      seen.push(balance(rig.delivery));
      rig.exporter.export(['nested'], () => {});
    };
    rig.inner.does = 'hold';
    rig.export('A', 3);
    rig.clock.advance(1_000);
    expect(rig.told['A']).toEqual([SUCCESS]);
    expect(rig.fallback.names).toEqual(['B', 'C', 'D']);
    expect(seen).toEqual([
      [0, 0],
      [0, 0],
      [0, 0],
    ]);
    expect(balance(rig.delivery)).toEqual([0, 0]);
  });

  it('has no room where none can be made: the caller waits, as without', () => {
    const rig = new Rig({ retention: { maxItems: 2, idleMillis: 0 } });
    rig.keepAndClose('B', 'C');
    rig.inner.does = 'hold';
    rig.export('A', 3);
    rig.clock.advance(14_999);
    expect(rig.told['A']).toEqual([]);
    expect(rig.delivery).toMatchObject({ kept: { batches: 2 }, evicted: { full: 0 } });
    rig.clock.advance(1);
    expect(rig.told['A']).toMatchObject([{ code: 1, error: { code: 'ERR_EXPORT_TIMEOUT' } }]);
    expect(rig.delivery).toMatchObject({ kept: { batches: 2 }, lostBy: { failure: 3 } });
  });

  it('is nothing empty', () => {
    const rig = new Rig();
    rig.inner.does = 'hold';
    rig.export('empty', 0);
    rig.clock.advance(5_000);
    expect(rig.told['empty']).toEqual([]);
  });

  it('is none from the call of shutdown() on: the caller waits', async () => {
    const rig = new Rig();
    rig.inner.does = 'hold';
    rig.export('A');
    rig.inner.shutdown = () => new Promise(() => {});
    void rig.exporter.shutdown();
    await pass(rig.clock, 2_000);
    expect(rig.told['A']).toEqual([]);
    rig.inner.release(FAILURE);
    expect(rig.told['A']).toEqual([FAILURE]);
    expect(rig.delivery.kept).toEqual(NOTHING);
  });
});

describe('the bound of three', () => {
  /** Three batches that are handed over. */
  function three(options: ConstructorParameters<typeof Rig>[0] = {}): Rig {
    const rig = new Rig({ exportTimeoutMillis: 0, ...options });
    rig.inner.does = 'hold';
    for (const name of ['A', 'B', 'C']) rig.export(name);
    rig.clock.advance(1_000);
    expect(rig.delivery.inFlight.batches).toBe(3);
    return rig;
  }

  it('with three unanswered, and nothing answered for a second, the next is kept without being sent', () => {
    const rig = three();
    rig.export('D', 2);
    expect(rig.inner.names).toEqual(['A', 'B', 'C']);
    expect(rig.told['D']).toEqual([SUCCESS]);
    expect(rig.delivery).toMatchObject({ kept: { batches: 1, items: 2 }, inFlight: { batches: 3 } });
    expect(rig.exporter.snapshot()).toMatchObject({
      state: 'CLOSED',
      exports: { success: 0, failure: 0, rejected: 0 },
    });
  });

  it('with two it is sent', () => {
    const rig = three();
    rig.inner.release();
    rig.clock.advance(5_000);
    rig.export('D');
    expect(rig.inner.names).toEqual(['A', 'B', 'C', 'D']);
  });

  it('holds from a second after the last answer', () => {
    const rig = new Rig({ exportTimeoutMillis: 0 });
    rig.inner.does = 'hold';
    for (const name of ['A', 'B', 'C', 'D']) rig.export(name);
    rig.clock.advance(1_500);
    rig.inner.release();
    rig.clock.advance(999);
    rig.export('E');
    expect(rig.inner.names.at(-1)).toBe('E');
    rig.clock.advance(1);
    rig.export('F');
    expect(rig.inner.names.at(-1)).toBe('E');
  });

  it.each([
    ['a time-out', (rig: Rig) => rig.clock.advance(500)],
    ['an ignored result', (rig: Rig) => rig.inner.release(NOT_SENT)],
  ])('takes %s for no answer', (_, happens) => {
    const rig = new Rig({ tripPolicy: undefined, exportTimeoutMillis: 2_000 });
    rig.inner.does = 'hold';
    rig.export('first');
    rig.clock.advance(500);
    for (const name of ['A', 'B', 'C']) rig.export(name);
    rig.clock.advance(1_000);
    expect(rig.told['C']).toEqual([SUCCESS]);
    happens(rig);
    rig.export('D');
    expect(rig.inner.names).toEqual(['first', 'A', 'B', 'C']);
  });

  it('counts a late answer as one', () => {
    const rig = new Rig({ tripPolicy: undefined, exportTimeoutMillis: 2_000 });
    rig.inner.does = 'hold';
    rig.export('first');
    rig.clock.advance(500);
    for (const name of ['A', 'B', 'C']) rig.export(name);
    rig.clock.advance(1_500);
    rig.export('D');
    expect(rig.inner.names).toHaveLength(4);
    rig.inner.release();
    rig.export('E');
    expect(rig.inner.names.at(-1)).toBe('E');
  });

  it('does not hold back a slow but healthy backend', () => {
    const rig = new Rig({ exportTimeoutMillis: 0 });
    rig.inner.does = 'hold';
    // Answers of 2 s, a batch each 250 ms: eight are always unanswered.
    const heldBack: number[] = [];
    for (let step = 0; step < 100; step++) {
      if (step >= 8) rig.inner.release();
      rig.export(`${step}`);
      if (rig.inner.names.at(-1) !== `${step}`) heldBack.push(step);
      rig.clock.advance(250);
    }
    // Only before the first answer of all.
    expect(heldBack).toEqual([4, 5, 6, 7]);
    expect(rig.delivery.lost).toEqual(NOTHING);
  });

  it('is while CLOSED: when the circuit has opened, its policies decide', () => {
    const rig = new Rig({ exportTimeoutMillis: 0 });
    rig.inner.does = 'hold';
    for (const name of ['A', 'B', 'C', 'D']) rig.export(name);
    rig.clock.advance(1_000);
    rig.inner.release(FAILURE);
    rig.clock.advance(5_000);
    rig.export('rejected');
    expect(rig.exporter.snapshot()).toMatchObject({ state: 'OPEN', exports: { rejected: 1 } });
    rig.mayProbe = true;
    rig.export('probe');
    expect(rig.inner.names.at(-1)).toBe('probe');
  });

  it('without room sends it, as without', () => {
    const rig = three({ retention: { maxItems: 3 } });
    rig.export('D');
    expect(rig.inner.names).toEqual(['A', 'B', 'C', 'D']);
  });

  it('keeps a copy', () => {
    const rig = three();
    const given = ['D'];
    rig.exporter.export(given, () => void given.splice(0));
    rig.inner.does = 'success';
    for (let i = 0; i < 3; i++) rig.inner.release();
    expect(rig.inner.batches.slice(3)).toEqual([['D']]);
  });
});

describe('a probe', () => {
  const open = (options: ConstructorParameters<typeof Rig>[0] = {}): Rig => {
    const rig = new Rig({ ...options });
    rig.trip('A');
    rig.mayProbe = true;
    rig.inner.does = 'hold';
    return rig;
  };

  it('goes on after 1 s, but its caller is answered as that of a rejected batch', () => {
    const rig = open({ retention: false });
    rig.export('probe', 2);
    rig.clock.advance(999);
    expect(rig.told['probe']).toEqual([]);
    rig.clock.advance(1);
    expect(rig.told['probe']).toMatchObject([{ code: 1, error: { code: 'ERR_CIRCUIT_OPEN' } }]);
    expect(rig.state).toBe('HALF_OPEN');
    expect(rig.delivery).toMatchObject({ inFlight: { batches: 1, items: 2 }, lost: { items: 1 } });
    expect(rig.exporter.snapshot().exports.rejected).toBe(0);
    rig.inner.release();
    expect(rig.state).toBe('CLOSED');
    expect(rig.told['probe']).toHaveLength(1);
    expect(rig.delivery).toMatchObject({ delivered: { batches: 1, items: 2 }, inFlight: NOTHING });
  });

  it('has its caller answered by an offer, where no timer fires', () => {
    const rig = open({ retention: false });
    rig.clock.losesTimers = true;
    rig.export('probe');
    for (const [millis, told] of [
      [1_000, 0],
      [49, 0],
      [1, 1],
    ] as const) {
      rig.clock.advance(millis);
      rig.export('offer');
      expect(rig.told['probe']).toHaveLength(told);
    }
  });

  it('is reported as reportRejectedAs says', () => {
    const rig = open({ retention: false, reportRejectedAs: 'success' });
    rig.export('probe');
    rig.clock.advance(1_000);
    expect(rig.told['probe']).toEqual([SUCCESS]);
    expect(rig.delivery.inFlight.batches).toBe(1);
  });

  it('that fails after that goes down the cascade: to the fallback, with what it was given', () => {
    const rig = open({ retention: false, fallback: true });
    const given = ['probe', 'probe'];
    rig.exporter.export(given, () => void given.splice(0));
    rig.clock.advance(1_000);
    expect(given).toEqual([]);
    expect(rig.fallback.names).toEqual(['A']);
    rig.inner.release(FAILURE);
    expect(rig.fallback.batches.slice(1)).toEqual([['probe', 'probe']]);
    expect(rig.state).toBe('OPEN');
  });

  it('that fails after that is lost without either', () => {
    const rig = open({ retention: false });
    rig.export('probe');
    rig.clock.advance(1_000);
    rig.inner.release(FAILURE);
    expect(rig.losses.at(-1)).toMatchObject({ reason: 'failure', batches: 1 });
    expect(rig.delivery.inFlight).toEqual(NOTHING);
  });

  it('is handed over as any live sending', () => {
    const rig = usual(60, { probePolicy: () => true });
    rig.breaker.forceOpen();
    rig.export('kept');
    rig.breaker.reset();
    rig.inner.does = FAILURE;
    for (let i = 0; i < 3; i++) rig.export('trip');
    expect(rig.state).toBe('OPEN');
    expect(toldAfter(rig, 'probe')).toBe(240);
    expect(rig.told['probe']).toEqual([SUCCESS]);
    expect(rig.state).toBe('HALF_OPEN');
    rig.inner.release(FAILURE);
    expect(rig.exporter.snapshot()).toMatchObject({ state: 'OPEN', failedProbes: 1 });
    expect(rig.delivery.inFlight).toEqual(NOTHING);
  });

  it('is kept, and its caller has SUCCESS, after 1 s also with handOverMillis 0', () => {
    const rig = new Rig({ retention: { handOverMillis: 0, idleMillis: 0 }, probePolicy: () => true });
    rig.trip();
    rig.inner.does = 'hold';
    rig.export('probe');
    rig.clock.advance(999);
    expect(rig.told['probe']).toEqual([]);
    rig.clock.advance(1);
    expect(rig.told['probe']).toEqual([SUCCESS]);
    expect(rig.delivery.inFlight.batches).toBe(1);
  });

  it('is answered as rejected after 1 s where it cannot be handed over', () => {
    for (const retention of [{ maxItems: 1 }, { handOverMillis: 0, maxItems: 1 }]) {
      const rig = open({ retention });
      rig.export('probe', 5);
      rig.clock.advance(1_000);
      expect(rig.told['probe']).toMatchObject([{ code: 1, error: { code: 'ERR_CIRCUIT_OPEN' } }]);
    }
  });

  it.each(['forceOpen', 'reset'] as const)(
    'that is handed over is kept or delivered also after %s()',
    (how) => {
      for (const answer of [SUCCESS, FAILURE]) {
        const rig = open();
        rig.export('probe');
        rig.clock.advance(1_000);
        expect(rig.told['probe']).toEqual([SUCCESS]);
        rig.breaker[how]();
        const { state } = rig;
        rig.inner.does = 'hold';
        rig.inner.release(answer);
        expect(rig.state).toBe(state);
        expect(rig.delivery).toMatchObject(
          answer === SUCCESS ? { delivered: { batches: 1 } } : { kept: { batches: 2 } },
        );
        expect(balance(rig.delivery)).toEqual([0, 0]);
      }
    },
  );

  it('holds up no shutdown: its caller is answered after 1 s also then', async () => {
    const rig = open({ retention: false, shutdownTimeoutMillis: 5_000 });
    rig.export('probe');
    rig.inner.shutdown = () => new Promise(() => {});
    void rig.exporter.shutdown();
    await pass(rig.clock, 1_000);
    expect(rig.told['probe']).toMatchObject([{ code: 1, error: { code: 'ERR_CIRCUIT_OPEN' } }]);
  });
});

describe('a command-line tool that flushes and exits', () => {
  it('loses nothing that a healthy backend takes 120 ms for, before any success', async () => {
    const rig = new Rig();
    rig.inner.does = 'hold';
    rig.export('A');
    rig.clock.advance(120);
    expect(rig.told['A']).toEqual([]);
    rig.inner.release();
    expect(rig.told['A']).toEqual([SUCCESS]);
    await settled();
  });
});

describe('redeliver() while something is handed over', () => {
  it('sends what is kept, and not what is handed over', async () => {
    const rig = handedOver();
    rig.keepAndClose('B');
    rig.inner.does = 'success';
    const redelivering = watch(rig.exporter.redeliver());
    await settled();
    expect(redelivering.done).toBe(true);
    expect(rig.inner.names).toEqual(['A', 'B']);
    expect(rig.delivery.inFlight.batches).toBe(1);
  });
});
