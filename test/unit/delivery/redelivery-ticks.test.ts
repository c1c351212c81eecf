import { describe, expect, it } from 'vitest';
import type { ProbeContext } from '../../../src/index.ts';
import { FAILURE, NOT_SENT, NOTHING, REFUSED, Rig, SUCCESS, settled } from './rig.ts';

const idle = (options: ConstructorParameters<typeof Rig>[0] = {}): Rig =>
  new Rig({ ...options, retention: { idleMillis: 1_000, ...options.retention } });

describe('when a tick comes', () => {
  it('is idleMillis, 15 s by default, after the first keeping', () => {
    const rig = new Rig();
    rig.keepAndClose('A');
    rig.clock.advance(14_999);
    expect(rig.inner.names).toEqual([]);
    rig.clock.advance(1);
    expect(rig.inner.names).toEqual(['A']);
  });

  it('is idleMillis after the last offer, rejected or not', () => {
    const rig = idle();
    rig.trip('A');
    rig.clock.advance(400);
    rig.export('B');
    rig.clock.advance(999);
    expect(rig.asked).toBe(1);
    rig.clock.advance(1);
    expect(rig.asked).toBe(2);
  });

  it('is twice the longest of the last four pauses after the last offer, at most ten times idleMillis', () => {
    const slow = idle();
    slow.trip('A');
    slow.clock.advance(700);
    slow.export('B');
    slow.clock.advance(1_399);
    expect(slow.asked).toBe(1);
    slow.clock.advance(1);
    expect(slow.asked).toBe(2);

    // An exporter that exports once a minute is not silent.
    const minutely = new Rig();
    minutely.export('first');
    minutely.clock.advance(60_000);
    minutely.trip('A');
    for (let i = 0; i < 10; i++) {
      minutely.clock.advance(60_000);
      minutely.export('B');
    }
    expect(minutely.asked).toBe(10);
    minutely.clock.advance(119_999);
    expect(minutely.asked).toBe(10);
    minutely.clock.advance(1);
    expect(minutely.asked).toBe(11);
  });

  it('is put off by offers for as long as they come', () => {
    const rig = idle();
    rig.trip('A');
    for (let i = 0; i < 20; i++) {
      rig.clock.advance(900);
      rig.export('B');
    }
    expect(rig.asked).toBe(20);
    rig.clock.advance(1_800);
    expect(rig.asked).toBe(21);
  });

  it('is idleMillis after the last tick', () => {
    const rig = idle();
    rig.keepAndClose('A', 'B', 'C');
    rig.clock.advance(1_000);
    expect(rig.inner.names).toEqual(['A']);
    rig.clock.advance(999);
    expect(rig.inner.names).toEqual(['A']);
    rig.clock.advance(1);
    expect(rig.inner.names).toEqual(['A', 'B']);
    rig.clock.advance(1_000);
    expect(rig.inner.names).toEqual(['A', 'B', 'C']);
  });

  it('is counted from the first keeping, where that is long after the offer and the hand-over', () => {
    const rig = new Rig({ exportTimeoutMillis: 5_000, retention: { idleMillis: 3_000 } });
    rig.inner.does = 'hang';
    rig.export('A');
    rig.clock.advance(5_000);
    expect(rig.kept).toBe(1);
    rig.clock.advance(2_999);
    expect(rig.asked).toBe(0);
    rig.clock.advance(1);
    expect(rig.asked).toBe(1);
  });

  it('is never while a batch is only handed over, and needs no timer', () => {
    const rig = new Rig({ exportTimeoutMillis: 0 });
    rig.inner.does = 'hang';
    rig.export('A');
    rig.clock.advance(1_000);
    expect(rig.told['A']).toEqual([SUCCESS]);
    expect(rig.clock.pending.size).toBe(0);
  });

  it('is not put off by a later keeping', () => {
    const rig = idle();
    rig.inner.does = 'hold';
    rig.export('A');
    rig.keep('B');
    rig.breaker.reset();
    rig.clock.advance(500);
    rig.inner.release(NOT_SENT);
    expect(rig.delivery.kept.batches).toBe(2);
    rig.inner.does = 'success';
    rig.clock.advance(500);
    expect(rig.inner.names).toEqual(['A', 'B']);
  });

  it('is never with idleMillis 0', () => {
    const rig = new Rig({ retention: { idleMillis: 0 } });
    rig.keepAndClose('A');
    rig.clock.advance(1e9);
    expect(rig.inner.names).toEqual([]);
    expect(rig.clock.most).toBe(0);
  });

  it('is never while nothing is kept: no timer at all', () => {
    const rig = idle();
    rig.export('A');
    expect(rig.clock.most).toBe(0);
  });
});

describe('the timer of ticks', () => {
  it('is one at most, and only while something is kept', async () => {
    const rig = idle();
    rig.trip('A');
    expect(rig.clock.pending.size).toBe(1);
    for (let i = 0; i < 50; i++) {
      rig.clock.advance(100 + 37 * i);
      rig.export('B');
      expect(rig.clock.pending.size).toBe(1);
    }
    expect(rig.clock.most).toBe(1);
    rig.breaker.reset();
    await rig.exporter.redeliver();
    expect(rig.kept).toBe(0);
    expect(rig.clock.pending.size).toBe(0);
  });

  it('is gone when what is kept has come through by grants, by ticks or by a probe', () => {
    const granted = idle();
    granted.keepAndClose('A');
    granted.export('live');
    expect(granted.clock.pending.size).toBe(0);

    const ticked = idle();
    ticked.keepAndClose('A');
    ticked.clock.advance(1_000);
    expect(ticked.clock.pending.size).toBe(0);

    const probed = idle();
    probed.trip('A');
    probed.mayProbe = true;
    probed.clock.advance(1_000);
    expect(probed.state).toBe('CLOSED');
    expect(probed.clock.pending.size).toBe(0);
  });

  it('is gone when what was kept has been evicted', () => {
    const rig = idle({ retention: { maxAttempts: 1 } });
    rig.keepAndClose('poison');
    rig.inner.does = (given) => (given[0] === 'poison' ? FAILURE : 'success');
    rig.export('live');
    expect(rig.kept).toBe(0);
    expect(rig.clock.pending.size).toBe(0);
  });

  it('comes again with the next keeping', () => {
    const rig = idle();
    rig.keepAndClose('A');
    rig.export('live');
    rig.clock.advance(500);
    rig.keepAndClose('B');
    rig.clock.advance(999);
    expect(rig.inner.names).toEqual(['live', 'A']);
    rig.clock.advance(1);
    expect(rig.inner.names).toEqual(['live', 'A', 'B']);
  });
});

describe('a tick while CLOSED', () => {
  it('is one redelivery: no probe, no attempt, no question to the policy', () => {
    const rig = idle({ retention: { pace: 5 } });
    rig.keepAndClose('A', 'B');
    rig.clock.advance(1_000);
    expect(rig.inner.names).toEqual(['A']);
    expect(rig.asked).toBe(0);
    expect(rig.delivery.redelivered.batches).toBe(1);
    expect(rig.exporter.snapshot().probes).toEqual({ success: 0, failure: 0 });
  });

  it('keeps a redelivery that fails, and at the next tick it is the next one’s turn', () => {
    const rig = idle();
    rig.keepAndClose('A', 'B');
    rig.inner.does = FAILURE;
    rig.clock.advance(3_000);
    expect(rig.inner.names).toEqual(['A', 'B', 'A']);
    expect(rig.kept).toBe(2);
    expect(rig.state).toBe('CLOSED');
    expect(rig.exporter.snapshot().consecutiveFailures).toBe(0);
  });

  it('sends nothing while a redelivery is out', () => {
    const rig = idle({ exportTimeoutMillis: 0 });
    rig.keepAndClose('A', 'B');
    rig.inner.does = 'hold';
    rig.clock.advance(5_000);
    expect(rig.inner.names).toEqual(['A']);
  });
});

describe('a tick while OPEN', () => {
  it('is an attempt, asked of the probe policy; a "no" is counted nowhere but in attemptsSinceOpened', () => {
    const contexts: ProbeContext[] = [];
    const rig = idle({
      probePolicy: (context) => {
        contexts.push({ ...context });
        return false;
      },
    });
    rig.trip('A');
    const before = rig.exporter.snapshot();

    rig.clock.advance(3_000);

    expect(contexts).toMatchObject([
      { attempt: 1, elapsedMillis: 1_000 },
      { attempt: 2, elapsedMillis: 2_000 },
      { attempt: 3, elapsedMillis: 3_000 },
    ]);
    const after = rig.exporter.snapshot();
    expect(after).toEqual({ ...before, attemptsSinceOpened: 3, notClosedMillis: 3_000 });
  });

  it('counts on from the attempts of exports', () => {
    const rig = idle();
    rig.trip('A');
    rig.export('B');
    rig.clock.advance(1_000);
    rig.export('C');
    expect(rig.exporter.snapshot()).toMatchObject({ attemptsSinceOpened: 3, exports: { rejected: 2 } });
  });

  it('probes with a kept batch, which is delivered when it gets through, and closes the circuit', () => {
    const rig = idle();
    rig.trip('A');
    rig.mayProbe = true;

    rig.clock.advance(1_000);

    expect(rig.inner.names).toEqual(['A', 'A']);
    expect(rig.state).toBe('CLOSED');
    expect(rig.exporter.snapshot()).toMatchObject({
      probes: { success: 1, failure: 0 },
      exports: { success: 1, failure: 1, rejected: 0 },
      transitions: { 'OPEN->HALF_OPEN': 1, 'HALF_OPEN->CLOSED': 1 },
    });
    expect(rig.delivery).toMatchObject({ redelivered: { batches: 1 }, kept: { batches: 0 } });
  });

  it('grants nothing by a probe that closes the circuit: it was no live one', () => {
    const rig = idle();
    rig.trip('A');
    rig.export('B');
    rig.mayProbe = true;
    rig.clock.advance(1_000);
    expect(rig.inner.names).toEqual(['A', 'A']);
    expect(rig.kept).toBe(1);
  });

  it('takes a different batch after each failure, and begins again with the first', () => {
    const rig = idle();
    rig.trip('A');
    rig.keep('B', 'C');
    rig.mayProbe = true;
    rig.inner.does = FAILURE;
    rig.clock.advance(5_000);
    expect(rig.inner.names.slice(1)).toEqual(['A', 'B', 'C', 'A', 'B']);
    expect(rig.exporter.snapshot()).toMatchObject({ failedProbes: 5, probes: { failure: 5 } });
    expect(rig.kept).toBe(3);
  });

  it('begins each outage with the oldest', () => {
    const rig = idle();
    rig.trip('A');
    rig.keep('B');
    rig.mayProbe = true;
    rig.inner.does = FAILURE;
    rig.clock.advance(1_000);
    rig.breaker.reset();
    rig.trip('C');
    rig.clock.advance(2_000);
    expect(rig.inner.names).toEqual(['A', 'A', 'C', 'A']);
  });

  it('takes the only batch again after a failure', () => {
    const rig = idle();
    rig.trip('A');
    rig.mayProbe = true;
    rig.inner.does = FAILURE;
    rig.clock.advance(2_000);
    expect(rig.inner.names).toEqual(['A', 'A', 'A']);
  });

  it('does not count a failed probe as a failed redelivery', () => {
    const rig = idle({ retention: { maxAttempts: 1 } });
    rig.inner.does = 'hold';
    rig.export('late');
    rig.trip('A');
    rig.inner.does = 'success';
    rig.inner.release();
    rig.mayProbe = true;
    rig.inner.does = FAILURE;
    rig.clock.advance(5_000);
    expect(rig.exporter.snapshot().failedProbes).toBe(5);
    expect(rig.delivery).toMatchObject({ kept: { batches: 1 }, evicted: { attempts: 0 } });
  });

  it('asks no more questions while its probe is out, and rejects live batches', () => {
    const rig = idle({ exportTimeoutMillis: 0 });
    rig.trip('A');
    rig.mayProbe = true;
    rig.inner.does = 'hold';
    rig.clock.advance(1_000);
    expect(rig.state).toBe('HALF_OPEN');
    rig.export('B');
    rig.clock.advance(5_000);
    expect(rig.asked).toBe(1);
    expect(rig.inner.names).toEqual(['A', 'A']);
    rig.inner.release();
    expect(rig.state).toBe('CLOSED');
  });

  it('fails when its probe has no answer in time', () => {
    const rig = idle({ exportTimeoutMillis: 500 });
    rig.trip('A');
    rig.mayProbe = true;
    rig.inner.does = 'hang';
    rig.clock.advance(1_500);
    expect(rig.state).toBe('OPEN');
    expect(rig.exporter.snapshot()).toMatchObject({
      failedProbes: 1,
      lastFailure: { code: 'ERR_EXPORT_TIMEOUT' },
    });
    expect(rig.kept).toBe(1);
  });

  it('loses nothing of the backlog of a service that fell silent, however long nothing gets through', () => {
    const rig = new Rig({ tripPolicy: undefined, probePolicy: undefined });
    rig.export('live');
    rig.inner.does = FAILURE;
    for (let i = 0; i < 100; i++) {
      rig.export('A');
      rig.clock.advance(5_000);
    }
    // Healthy for a moment: the circuit closes, and then nothing gets through again.
    rig.inner.does = 'success';
    while (rig.state !== 'CLOSED') {
      rig.export('B');
      rig.clock.advance(5_000);
    }
    rig.inner.does = FAILURE;
    const { kept } = rig;
    rig.clock.advance(8 * 3_600_000);
    expect(rig.delivery).toMatchObject({ lost: NOTHING, evicted: { attempts: 0 } });
    expect(rig.kept).toBe(kept);
  });

  it('brings back a service that fell silent, with the default policies', () => {
    const rig = new Rig({ tripPolicy: undefined, probePolicy: undefined });
    rig.inner.does = FAILURE;
    for (const name of ['A', 'B', 'C']) rig.export(name);
    expect(rig.state).toBe('OPEN');
    rig.clock.advance(10 * 60_000);
    expect(rig.kept).toBe(3);
    rig.inner.does = 'success';
    rig.clock.advance(2 * 60_000);
    expect(rig.delivery).toMatchObject({
      redelivered: { batches: 3 },
      kept: { batches: 0 },
      lost: { batches: 0 },
    });
  });
});

describe('a tick while HALF_OPEN', () => {
  it('is the next probe, when the place is free, without asking', () => {
    const rig = idle({ successThreshold: 3 });
    rig.trip('A');
    rig.keep('B', 'C');
    rig.mayProbe = true;
    rig.asked = 0;
    rig.clock.advance(1_000);
    expect(rig.state).toBe('HALF_OPEN');
    rig.clock.advance(1_000);
    expect(rig.inner.names).toEqual(['A', 'A', 'B']);
    expect(rig.asked).toBe(1);
    rig.clock.advance(1_000);
    expect(rig.state).toBe('CLOSED');
    expect(rig.exporter.snapshot().probes.success).toBe(3);
  });

  it('is the next probe after one that was ignored, and costs the batch nothing', () => {
    const rig = idle({ retention: { maxAttempts: 1 } });
    rig.trip('A');
    rig.mayProbe = true;
    rig.inner.does = NOT_SENT;
    rig.clock.advance(3_000);
    expect(rig.state).toBe('HALF_OPEN');
    expect(rig.kept).toBe(1);
    rig.inner.does = 'success';
    rig.clock.advance(1_000);
    expect(rig.state).toBe('CLOSED');
    expect(rig.kept).toBe(0);
  });

  it('is nothing while a live probe is out', () => {
    const rig = idle();
    rig.trip('A');
    rig.mayProbe = true;
    rig.inner.does = 'hold';
    rig.export('probe');
    const before = rig.exporter.snapshot();
    rig.clock.advance(5_000);
    expect(rig.inner.names).toEqual(['A', 'probe']);
    expect(rig.exporter.snapshot()).toEqual({ ...before, notClosedMillis: before.notClosedMillis + 5_000 });
  });
});

describe('while the circuit is forced', () => {
  it.each(['forceOpen', 'forceClosed'] as const)('there are no ticks: %s', (force) => {
    const rig = idle();
    rig.trip('A');
    rig.mayProbe = true;
    rig.breaker[force]();
    const before = rig.exporter.snapshot();
    rig.clock.advance(10_000);
    expect(rig.inner.names).toEqual(['A']);
    expect(rig.exporter.snapshot().attemptsSinceOpened).toBe(before.attemptsSinceOpened);
    expect(rig.clock.pending.size).toBeLessThanOrEqual(1);

    rig.breaker.reset();
    rig.clock.advance(1_000);
    expect(rig.inner.names).toEqual(['A', 'A']);
  });
});

it('does not look at ages while the circuit is forced: there are no ticks', () => {
  const rig = new Rig({ retention: { maxAgeMillis: 500, idleMillis: 1_000 } });
  rig.keep('A');
  rig.clock.advance(1_000);
  expect(rig.delivery).toMatchObject({ kept: { batches: 1 }, evicted: { expired: 0 } });
  rig.breaker.reset();
  rig.clock.advance(1_000);
  expect(rig.delivery).toMatchObject({ kept: { batches: 0 }, evicted: { expired: 1 } });
});

describe('what a tick sends counts in the state machine as a probe or not at all', () => {
  it.each(['reset', 'forceClosed'] as const)('also when a listener calls %s() as it half-opens', (how) => {
    const rig = idle();
    rig.trip('A');
    rig.mayProbe = true;
    rig.inner.does = FAILURE;
    const { consecutiveFailures } = rig.exporter.snapshot();
    rig.breaker.onTransition(({ to }) => {
      if (to === 'HALF_OPEN') rig.breaker[how]();
    });

    rig.clock.advance(1_000);

    expect(rig.state).toBe('CLOSED');
    expect(rig.exporter.snapshot().consecutiveFailures).toBe(consecutiveFailures);
    expect(rig.exporter.snapshot().transitions['CLOSED->OPEN']).toBe(1);
  });

  it('and redeliver(), called by a listener as it half-opens, sends all that is kept', async () => {
    const rig = idle();
    rig.trip('A');
    rig.mayProbe = true;
    let redelivered = Promise.resolve();
    rig.breaker.onTransition(({ to }) => {
      if (to !== 'HALF_OPEN') return;
      rig.breaker.reset();
      redelivered = rig.exporter.redeliver();
    });

    rig.clock.advance(1_000);
    await redelivered;

    expect(rig.inner.names).toEqual(['A', 'A']);
    expect(rig.delivery.redelivered.batches).toBe(1);
  });

  it('also when its probe is answered after a reset', () => {
    const rig = idle();
    rig.trip('A');
    rig.mayProbe = true;
    rig.inner.does = 'hold';
    rig.clock.advance(1_000);
    rig.breaker.reset();
    rig.inner.release(FAILURE);
    expect(rig.state).toBe('CLOSED');
    expect(rig.kept).toBe(1);
  });

  it('evicts a kept batch that its probe finds invalid, and keeps no place', async () => {
    const rig = idle({ fallback: true });
    rig.trip('A');
    rig.keep('B');
    rig.mayProbe = true;
    rig.inner.does = REFUSED;
    rig.clock.advance(1_000);
    await settled();
    expect(rig.fallback.names).toEqual(['A']);
    expect(rig.state).toBe('CLOSED');
  });
});
