import { describe, expect, it, vi } from 'vitest';
import { acquire, always, arrangeBreaker, arrangeOpen, fail, never, START, steps } from './arrange.ts';

describe('a transition', () => {
  it('says name, from, to, when, and the failure that opened the circuit', () => {
    const { breaker, clock, transitions } = arrangeBreaker({ name: 'traces' });
    const error = { message: 'down' };
    clock.advance(3);
    fail(breaker, 3, error);
    expect(transitions).toEqual([{ name: 'traces', from: 'CLOSED', to: 'OPEN', at: START + 3, error }]);
    expect(transitions[0]?.error).toBe(error);
  });

  it('has no error where there was none', () => {
    const { breaker, transitions } = arrangeBreaker({ probePolicy: always });
    fail(breaker, 3);
    acquire(breaker).succeed();
    expect(transitions.map((transition) => 'error' in transition)).toEqual([false, false, false]);
    expect(steps(transitions)).toEqual(['CLOSED->OPEN', 'OPEN->HALF_OPEN', 'HALF_OPEN->CLOSED']);
  });

  it('cannot be changed by one listener for the next', () => {
    const { breaker, transitions } = arrangeBreaker();
    fail(breaker, 3, new Error('down'));
    breaker.reset();
    expect(transitions.map((transition) => Object.isFrozen(transition))).toEqual([true, true]);
  });
});

describe('a listener', () => {
  it('is told after the state has changed', () => {
    const seen: string[] = [];
    const { breaker } = arrangeBreaker({ probePolicy: always });
    breaker.onTransition(({ to }) => seen.push(`${to} while ${breaker.state}`));
    fail(breaker, 3);
    acquire(breaker).succeed();
    expect(seen).toEqual(['OPEN while OPEN', 'HALF_OPEN while HALF_OPEN', 'CLOSED while CLOSED']);
  });

  it('finds the transition already counted', () => {
    const seen: number[] = [];
    const { breaker } = arrangeBreaker();
    breaker.onTransition(() => seen.push(breaker.snapshot().transitions['CLOSED->OPEN']));
    fail(breaker, 3);
    expect(seen).toEqual([1]);
  });

  it('is told no more once it has unsubscribed, and the others are', () => {
    const gone = vi.fn();
    const stays = vi.fn();
    const { breaker } = arrangeBreaker();
    const unsubscribe = breaker.onTransition(gone);
    breaker.onTransition(stays);
    unsubscribe();
    unsubscribe();
    fail(breaker, 3);
    expect(gone).not.toHaveBeenCalled();
    expect(stays).toHaveBeenCalledTimes(1);
  });

  it('that subscribed twice is told twice, and once after one unsubscription', () => {
    const listener = vi.fn();
    const { breaker } = arrangeBreaker();
    const unsubscribe = breaker.onTransition(listener);
    breaker.onTransition(listener);
    breaker.forceOpen();
    expect(listener).toHaveBeenCalledTimes(2);
    unsubscribe();
    breaker.reset();
    expect(listener).toHaveBeenCalledTimes(3);
  });

  it('may unsubscribe itself and another while it is told', () => {
    const other = vi.fn();
    const { breaker } = arrangeBreaker();
    const offSelf = breaker.onTransition(() => {
      offSelf();
      offOther();
    });
    const offOther = breaker.onTransition(other);
    fail(breaker, 3);
    expect(other).not.toHaveBeenCalled();
  });

  it('that subscribes while another is told hears of the next transition first', () => {
    const late: string[] = [];
    const { breaker } = arrangeBreaker();
    const off = breaker.onTransition(() => {
      off();
      breaker.onTransition(({ to }) => late.push(to));
    });
    breaker.forceOpen();
    breaker.reset();
    expect(late).toEqual(['CLOSED']);
  });

  it('that throws is reported to onError, and harms neither the breaker, nor the export, nor other listeners', () => {
    const error = new Error('listener broke');
    const other = vi.fn();
    const { breaker, problems } = arrangeOpen({ probePolicy: always });
    breaker.onTransition(() => {
      throw error;
    });
    breaker.onTransition(other);
    const probe = breaker.tryAcquire();
    expect(probe?.probe).toBe(true);
    expect(breaker.state).toBe('HALF_OPEN');
    expect(other).toHaveBeenCalledTimes(1);
    expect(problems).toEqual([['circuit "otlp": a transition listener failed', error]]);
    probe?.succeed();
    expect(breaker.state).toBe('CLOSED');
    expect(other).toHaveBeenCalledTimes(2);
  });

  it('that is async and rejects is reported to onError, and does not end the process', async () => {
    const error = new Error('async listener broke');
    const { breaker, problems } = arrangeBreaker();
    breaker.onTransition(async () => {
      throw error;
    });
    breaker.forceOpen();
    await Promise.resolve();
    await Promise.resolve();
    expect(problems).toEqual([['circuit "otlp": a transition listener failed', error]]);
  });

  it('that causes transitions itself gets all of them in their order, as all listeners do', () => {
    const seen: string[][] = [[], []];
    const { breaker } = arrangeBreaker();
    breaker.onTransition(({ to }) => {
      seen[0]?.push(to);
      if (to === 'OPEN' && seen[0]?.length === 1) {
        breaker.reset();
        breaker.forceOpen();
      }
    });
    breaker.onTransition(({ to }) => seen[1]?.push(to));
    fail(breaker, 3);
    expect(seen).toEqual([
      ['OPEN', 'CLOSED', 'OPEN'],
      ['OPEN', 'CLOSED', 'OPEN'],
    ]);
    expect(breaker.snapshot()).toMatchObject({ state: 'OPEN', forced: 'OPEN' });
  });

  it('that asks for a permit when the circuit opens is rejected, or the probe', () => {
    const permits: unknown[] = [];
    const { breaker } = arrangeBreaker({ probePolicy: never });
    breaker.onTransition(() => permits.push(breaker.tryAcquire()));
    fail(breaker, 3);
    expect(permits).toEqual([undefined]);
    expect(breaker.snapshot().attemptsSinceOpened).toBe(1);
  });

  it('that asks for a permit when the circuit half-opens is rejected: the place is taken', () => {
    const permits: unknown[] = [];
    const { breaker } = arrangeOpen({ probePolicy: always });
    breaker.onTransition(() => permits.push(breaker.tryAcquire()));
    expect(breaker.tryAcquire()?.probe).toBe(true);
    expect(permits).toEqual([undefined]);
  });

  it.each([
    ['forceOpen', 'OPEN', undefined],
    ['forceClosed', 'CLOSED', false],
    ['reset', 'CLOSED', false],
  ] as const)('that calls %s() when the circuit half-opens decides over the probe', (call, state, probe) => {
    const { breaker } = arrangeOpen({ probePolicy: always });
    breaker.onTransition(({ to }) => {
      if (to === 'HALF_OPEN') breaker[call]();
    });
    expect(breaker.tryAcquire()?.probe).toBe(probe);
    expect(breaker.state).toBe(state);
  });

  it('that is no function is refused', () => {
    const { breaker } = arrangeBreaker();
    expect(() => breaker.onTransition('log' as never)).toThrow(
      new TypeError('CircuitBreaker.onTransition: listener must be a function, got "log"'),
    );
  });
});
