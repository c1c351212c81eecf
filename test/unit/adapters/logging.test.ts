import { diag } from '@opentelemetry/api';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LoggedBreaker, LoggedExporter, LoggedTransition } from '../../../src/adapters/logging.ts';
import { logTransitions } from '../../../src/adapters/logging.ts';
import { internalsOf } from '../../../src/breaker/breaker-internals.ts';
import { CircuitBreaker } from '../../../src/breaker/circuit-breaker.ts';
import type { CircuitBreakerOptions } from '../../../src/breaker/circuit-breaker-options.ts';
import type { CircuitSnapshot } from '../../../src/breaker/snapshot.ts';
import { slowExportRate } from '../../../src/breaker/trip-policies.ts';
import type { ExporterSnapshot } from '../../../src/delivery/delivery-snapshot.ts';
import { circuitSnapshot, exporterSnapshot } from './snapshots.ts';

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

/** An exporter of somebody else's on such a breaker; `show` sets its snapshot. */
function fakeExporter() {
  const { breaker, tell } = fakeBreaker({});
  let shown: ExporterSnapshot = exporterSnapshot();
  const exporter: LoggedExporter = { breaker, snapshot: () => shown };
  const show = (snapshot: ExporterSnapshot) => {
    shown = snapshot;
  };
  return { exporter, tell, show };
}

const lastFailure = { name: 'Error', code: null, cause: 'timed out', message: 'secret', at: 0 };
const noItems = { success: 0, failure: 0, invalid: 0, ignored: 0, rejected: 0 };
const amount = (items: number) => ({ batches: 1, items });

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
        'circuit "collector" opened after 3 failures in a row, last ECONNREFUSED (connection refused); only probes are sent until one succeeds',
      ],
    ]);
  });

  it.each<[string, unknown, string]>([
    ['a number as code', Object.assign(new Error('secret'), { code: 503 }), '503 (unavailable)'],
    ['a code that nobody knows', Object.assign(new Error('secret'), { code: 'E_OWN' }), 'E_OWN'],
    ['the code 0', Object.assign(new Error('secret'), { code: 0 }), '0'],
    ['no code', new TypeError('secret'), 'TypeError'],
    ['no code, and a message of the OTLP exporters', new Error('Request timed out'), 'timed out'],
    ['an empty code', Object.assign(new Error('secret'), { code: '' }), 'Error'],
    ['an object as code', Object.assign(new RangeError('secret'), { code: {} }), 'RangeError'],
    ['a string', 'secret', 'Error'],
    ['nothing', undefined, 'Error'],
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
    expect(lines[0]?.[1]).toContain('opened after 1 failure, last ECONNREFUSED (connection refused);');
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
      'circuit "collector" opened as its trip policy demanded; only probes are sent until one succeeds',
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
      'circuit "collector" is open again: the probe failed, ECONNREFUSED (connection refused)',
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
      ['warn', 'circuit "collector" was opened by hand; nothing is sent until somebody closes it'],
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
    const { breaker, tell } = fakeBreaker({ state: 'OPEN', consecutiveFailures: 2, lastFailure });
    logTransitions(breaker, logger);
    tell({ from: 'CLOSED', to: 'OPEN', at: 0 });
    expect(lines).toEqual([
      ['warn', expect.stringContaining('circuit "fake" opened after 2 failures in a row, last timed out;')],
    ]);
  });

  it('escapes what comes from an error, and cuts it at 100 characters', () => {
    const breaker = newBreaker();
    logTransitions(breaker, logger);
    const code = `\u001b[31m\r\n<html>${'x'.repeat(1_000_000)}`;
    fail(breaker, 4, Object.assign(new Error('no'), { code }));
    for (const [, line] of lines) {
      expect(line.length).toBeLessThan(260);
      expect(line).toMatch(/^[\x20-\x7e…]*$/);
    }
    expect(lines[0]?.[1]).toContain('last \\u001b[31m\\r\\n<html>xxx');
  });

  it('informs how many items of an exporter were lost meanwhile, and how many are kept', () => {
    const { exporter, tell, show } = fakeExporter();
    logTransitions(exporter, logger);
    const books = (lost: number, kept: number, rejected: number) =>
      show(exporterSnapshot({ items: { ...noItems, rejected } }, { lost: amount(lost), kept: amount(kept) }));
    books(40, 0, 12);
    tell({ from: 'CLOSED', to: 'OPEN', at: 1_000 });
    books(771, 2_000, 504);
    tell({ from: 'HALF_OPEN', to: 'CLOSED', at: 30_600 });
    books(771, 0, 504);
    tell({ from: 'CLOSED', to: 'OPEN', at: 40_000 });
    books(772, 1, 504);
    tell({ from: 'HALF_OPEN', to: 'CLOSED', at: 50_000 });
    expect(lines.filter(([level]) => level === 'info')).toEqual([
      ['info', 'circuit "fake" closed again after 29.6 s; 731 items were lost meanwhile, 2000 are kept'],
      ['info', 'circuit "fake" closed again after 10 s; 1 item was lost meanwhile, 1 is kept'],
    ]);
  });

  it('listens to an array of exporters and breakers, a line each, named', () => {
    const breaker = newBreaker();
    const { exporter, tell } = fakeExporter();
    const unsubscribe = logTransitions([breaker, exporter, breaker], logger);
    fail(breaker, 3);
    tell({ from: 'CLOSED', to: 'OPEN', at: 0 });
    expect(lines.map(([, line]) => line.split(' opened')[0])).toEqual([
      'circuit "collector"',
      'circuit "fake"',
    ]);
    unsubscribe();
    breaker.reset();
    expect(lines).toHaveLength(2);
  });

  it('is counted by the breaker as long as it listens', () => {
    const breaker = newBreaker();
    const listeners = () => internalsOf(breaker)?.logListeners;
    const first = logTransitions(breaker, logger);
    const second = logTransitions([breaker], logger);
    expect(listeners()).toBe(2);
    first();
    first();
    expect(listeners()).toBe(1);
    second();
    expect(listeners()).toBe(0);
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
    ['nothing', undefined, logger, 'source must be an object with snapshot(), got undefined'],
    ['a snapshot', circuitSnapshot(), logger, 'source must be an object with snapshot(), got an object'],
    [
      'something with snapshot() that nobody can listen to',
      { snapshot: () => circuitSnapshot() },
      logger,
      'source must be an object with onTransition(), snapshot(), got an object',
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
