import { diag } from '@opentelemetry/api';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LoggedBreaker, LoggedTransition } from '../../../src/adapters/logging.ts';
import { logTransitions } from '../../../src/adapters/logging.ts';
import { CircuitBreaker } from '../../../src/breaker/circuit-breaker.ts';
import type { CircuitBreakerOptions } from '../../../src/breaker/circuit-breaker-options.ts';
import type { CircuitSnapshot } from '../../../src/breaker/snapshot.ts';
import { slowExportRate } from '../../../src/breaker/trip-policies.ts';
import { circuitSnapshot } from './snapshots.ts';

let nowMillis = 0;
let lines: [string, string][] = [];

const logger = {
  warn: (message: string) => lines.push(['warn', message]),
  info: (message: string) => lines.push(['info', message]),
  debug: (message: string) => lines.push(['debug', message]),
};

const refused = (): Error =>
  Object.assign(new Error('connect ECONNREFUSED http://user:password@host'), { code: 'ECONNREFUSED' });

beforeEach(() => {
  nowMillis = 1_764_000_000_000;
  lines = [];
});

afterEach(() => {
  diag.disable();
});

/** A breaker whose every attempt is a probe. */
function newBreaker(options?: CircuitBreakerOptions): CircuitBreaker {
  return new CircuitBreaker({
    name: 'collector',
    probePolicy: () => true,
    clock: { now: () => nowMillis, schedule: () => () => {} },
    onError: () => {},
    ...options,
  });
}

function fail(breaker: CircuitBreaker, times: number, error: unknown = refused()): void {
  for (let i = 0; i < times; i++) breaker.tryAcquire()?.fail(error);
}

/** A breaker of somebody else's, which is told what to tell. */
function fakeBreaker(snapshot: Partial<CircuitSnapshot>) {
  const listeners: ((transition: LoggedTransition) => void)[] = [];
  const breaker: LoggedBreaker = {
    name: 'fake',
    snapshot: () => circuitSnapshot(snapshot),
    onTransition(listener) {
      listeners.push(listener);
      return () => {};
    },
  };
  return {
    breaker,
    tell(transition: LoggedTransition): void {
      for (const listener of listeners) listener(transition);
    },
  };
}

describe('logTransitions', () => {
  it('says nothing while nothing happens', () => {
    const breaker = newBreaker();
    logTransitions(breaker, logger);
    fail(breaker, 2);
    breaker.tryAcquire()?.succeed();
    expect(lines).toEqual([]);
  });

  it('warns once when the circuit opens: why, by code, and what happens next', () => {
    const breaker = newBreaker();
    logTransitions(breaker, logger);
    fail(breaker, 3);
    expect(lines).toEqual([
      [
        'warn',
        'circuit "collector" opened after 3 failures in a row, last ECONNREFUSED; exports are rejected until a probe succeeds',
      ],
    ]);
  });

  it.each<[string, unknown, string]>([
    ['a number as code', Object.assign(new Error('secret'), { code: 503 }), '503'],
    ['the code 0', Object.assign(new Error('secret'), { code: 0 }), '0'],
    ['no code', new TypeError('secret'), 'TypeError'],
    ['no code, and a message of the OTLP exporters', new Error('Request timed out'), 'timed out'],
    ['an empty code', Object.assign(new Error('secret'), { code: '' }), 'Error'],
    ['an object as code', Object.assign(new RangeError('secret'), { code: {} }), 'RangeError'],
    ['a string', 'secret', 'without a code'],
    ['an object that is no error', { message: 'secret', name: '' }, 'without a code'],
    ['nothing, so the last failure stands for it', undefined, 'Error'],
  ])('names a failure with %s', (_, error, named) => {
    const breaker = newBreaker();
    logTransitions(breaker, logger);
    for (let i = 0; i < 3; i++) breaker.tryAcquire()?.fail(error);
    expect(lines).toHaveLength(1);
    expect(lines[0]?.[1]).toContain(`after 3 failures in a row, last ${named};`);
  });

  it('never shows the message of an error', () => {
    const breaker = newBreaker();
    logTransitions(breaker, logger);
    fail(breaker, 5);
    breaker.tryAcquire()?.succeed();
    expect(lines).toHaveLength(7);
    expect(JSON.stringify(lines)).not.toContain('password');
  });

  it('does not count one failure in the plural', () => {
    const breaker = newBreaker({
      tripPolicy: slowExportRate({ slowerThanMillis: 5, minimumExports: 1, window: { exports: 1 } }),
    });
    logTransitions(breaker, logger);
    const permit = breaker.tryAcquire();
    nowMillis += 6;
    permit?.fail(refused());
    expect(lines[0]?.[1]).toContain('opened after 1 failure, last ECONNREFUSED;');
  });

  it('blames the trip policy when exports were too slow', () => {
    const breaker = newBreaker({
      tripPolicy: slowExportRate({ slowerThanMillis: 5, minimumExports: 1, window: { exports: 1 } }),
    });
    fail(breaker, 1, new Error('before'));
    logTransitions(breaker, logger);
    const permit = breaker.tryAcquire();
    nowMillis += 6;
    permit?.succeed();
    expect(lines[0]?.[1]).toBe(
      'circuit "collector" opened as its trip policy demanded; exports are rejected until a probe succeeds',
    );
  });

  it('informs once when the circuit closes: after how long, and how many items were rejected', () => {
    let probes = false;
    const breaker = newBreaker({ probePolicy: () => probes });
    const opening = () => {
      fail(breaker, 3);
      breaker.tryAcquire(200);
      nowMillis += 90_040;
      breaker.tryAcquire(312);
      probes = true;
      breaker.tryAcquire(7)?.succeed();
      probes = false;
    };
    opening();
    logTransitions(breaker, logger);
    opening();
    expect(lines.filter(([level]) => level === 'info')).toEqual([
      ['info', 'circuit "collector" closed again after 90 s; 512 items were rejected meanwhile'],
    ]);
    lines = [];
    fail(breaker, 3);
    breaker.tryAcquire();
    nowMillis += 1_250;
    probes = true;
    breaker.tryAcquire()?.succeed();
    expect(lines.filter(([level]) => level === 'info')).toEqual([
      ['info', 'circuit "collector" closed again after 1.3 s; 1 item was rejected meanwhile'],
    ]);
  });

  it('counts the time from when the circuit left CLOSED, failed probes or not', () => {
    const breaker = newBreaker();
    logTransitions(breaker, logger);
    fail(breaker, 3);
    nowMillis += 10_000;
    fail(breaker, 1);
    nowMillis += 20_000;
    breaker.tryAcquire()?.succeed();
    expect(lines.at(-1)).toEqual([
      'info',
      expect.stringContaining('closed again after 30 s; 0 items were rejected'),
    ]);
  });

  it('shows probes for debugging only', () => {
    const breaker = newBreaker();
    logTransitions(breaker, logger);
    fail(breaker, 4);
    breaker.tryAcquire()?.fail();
    breaker.tryAcquire()?.succeed();
    expect(lines.map(([level]) => level)).toEqual([
      'warn',
      'debug',
      'debug',
      'debug',
      'debug',
      'debug',
      'info',
    ]);
    expect(lines.slice(1, 6).map(([, line]) => line)).toEqual([
      'circuit "collector" lets a probe through',
      'circuit "collector" is open again: the probe failed, ECONNREFUSED',
      'circuit "collector" lets a probe through',
      'circuit "collector" is open again: the probe failed, Error',
      'circuit "collector" lets a probe through',
    ]);
  });

  it.each([[null], ['text'], [5]])('takes %j for the failure of a probe', (thrown) => {
    const onError = vi.fn();
    const breaker = newBreaker({ onError });
    logTransitions(breaker, logger);
    fail(breaker, 3);
    breaker.tryAcquire()?.fail(thrown);
    expect(lines.at(-1)?.[1]).toMatch(/is open again: the probe failed, /);
    expect(onError).not.toHaveBeenCalled();
  });

  it('says so when it was done by hand', () => {
    const breaker = newBreaker();
    logTransitions(breaker, logger);
    breaker.forceOpen();
    breaker.forceClosed();
    breaker.reset();
    fail(breaker, 3);
    breaker.tryAcquire();
    breaker.forceOpen();
    breaker.reset();
    fail(breaker, 3);
    breaker.tryAcquire();
    breaker.forceClosed();
    expect(lines).toEqual([
      ['warn', 'circuit "collector" was opened by hand; everything is rejected until somebody closes it'],
      ['info', 'circuit "collector" was closed by hand after 0 s; 0 items were rejected meanwhile'],
      ['warn', expect.stringContaining('opened after 3 failures in a row')],
      ['debug', 'circuit "collector" lets a probe through'],
      ['debug', 'circuit "collector" is open again: held by hand'],
      ['info', 'circuit "collector" was closed by hand after 0 s; 0 items were rejected meanwhile'],
      ['warn', expect.stringContaining('opened after 6 failures in a row')],
      ['debug', 'circuit "collector" lets a probe through'],
      ['info', 'circuit "collector" was closed by hand after 0 s; 0 items were rejected meanwhile'],
    ]);
  });

  it('closes an outage that had begun before it listened', () => {
    const breaker = newBreaker();
    fail(breaker, 3);
    nowMillis += 2_000;
    fail(breaker, 1);
    breaker.forceOpen();
    breaker.tryAcquire(100);
    nowMillis += 3_000;
    logTransitions(breaker, logger);
    breaker.tryAcquire(10);
    nowMillis += 5_000;
    breaker.reset();
    expect(lines).toEqual([
      ['info', 'circuit "collector" was closed by hand after 10 s; 10 items were rejected meanwhile'],
    ]);
  });

  it('is silent once it is unsubscribed', () => {
    const breaker = newBreaker();
    const unsubscribe = logTransitions(breaker, logger);
    unsubscribe();
    fail(breaker, 3);
    expect(lines).toEqual([]);
  });

  it('quotes a name so that a line stays a line', () => {
    const breaker = newBreaker({ name: 'a "b"\nc' });
    logTransitions(breaker, logger);
    fail(breaker, 3);
    expect(lines[0]?.[1]).toMatch(/^circuit "a \\"b\\"\\nc" opened/);
  });

  it('takes any breaker with name, snapshot() and onTransition()', () => {
    const hostile = {
      get code() {
        throw new Error('no');
      },
    };
    const { breaker, tell } = fakeBreaker({ state: 'OPEN', consecutiveFailures: 2 });
    logTransitions(breaker, logger);
    tell({ from: 'CLOSED', to: 'OPEN', at: 0, error: hostile });
    expect(lines).toEqual([
      [
        'warn',
        expect.stringContaining('circuit "fake" opened after 2 failures in a row, last without a code'),
      ],
    ]);
  });

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('disk full');
      },
    ],
    ['rejects', () => Promise.reject(new Error('disk full'))],
  ])('lets a logger that %s harm nothing, and tells diag.error', async (_, bad) => {
    const error = vi.fn();
    diag.setLogger({ error, warn: vi.fn(), info: vi.fn(), debug: vi.fn(), verbose: vi.fn() });
    const onError = vi.fn();
    const breaker = newBreaker({ onError });
    logTransitions(breaker, { warn: bad, info: bad, debug: bad });
    logTransitions(breaker, logger);
    fail(breaker, 3);
    await vi.waitFor(() =>
      expect(error).toHaveBeenCalledExactlyOnceWith(
        'logTransitions: the logger threw',
        new Error('disk full'),
      ),
    );
    expect(breaker.state).toBe('OPEN');
    expect(lines).toHaveLength(1);
    expect(onError).not.toHaveBeenCalled();
  });

  it('calls the logger as its owner', () => {
    class Logger {
      readonly #lines: string[] = [];
      warn(message: string) {
        this.#lines.push(message);
      }
      info() {}
      debug() {}
      get count() {
        return this.#lines.length;
      }
    }
    const own = new Logger();
    const breaker = newBreaker();
    logTransitions(breaker, own);
    fail(breaker, 3);
    expect(own.count).toBe(1);
  });

  it.each<[string, unknown, unknown, string]>([
    [
      'no breaker',
      undefined,
      logger,
      'breaker must be an object with onTransition(), snapshot(), got undefined',
    ],
    [
      'a snapshot',
      circuitSnapshot(),
      logger,
      'breaker must be an object with onTransition(), snapshot(), got an object',
    ],
    [
      'no logger',
      newBreaker(),
      undefined,
      'logger must be an object with warn(), info(), debug(), got undefined',
    ],
    [
      'half a logger',
      newBreaker(),
      { warn() {} },
      'logger must be an object with warn(), info(), debug(), got an object',
    ],
  ])('refuses %s', (_, breaker, given, message) => {
    expect(() => logTransitions(breaker as never, given as never)).toThrow(
      new TypeError(`logTransitions: ${message}`),
    );
  });
});
