import { diag } from '@opentelemetry/api';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Environment } from '../../../src/adapters/env.ts';
import { circuitBreakerOptionsFromEnv } from '../../../src/adapters/env.ts';
import type { ProbeContext } from '../../../src/breaker/probe-policies.ts';
import { defaultProbePolicy } from '../../../src/breaker/probe-policies.ts';
import type { BatchStore } from '../../../src/delivery/batch-store.ts';

let warnings: unknown[][] = [];

beforeEach(() => {
  warnings = [];
  const warn = (...line: unknown[]) => warnings.push(line);
  diag.setLogger({ error: vi.fn(), warn, info: vi.fn(), debug: vi.fn(), verbose: vi.fn() });
});

afterEach(() => {
  diag.disable();
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  expect(warnings).toEqual([]);
});

/** The options of a good environment; its keys without their prefix. */
function optionsFrom(variables: Environment) {
  return circuitBreakerOptionsFromEnv(
    Object.fromEntries(
      Object.entries(variables).map(([key, value]) => [`OTEL_CIRCUIT_BREAKER_${key}`, value]),
    ),
  );
}

function failuresToTrip(variables: Environment): number | undefined {
  const detector = circuitBreakerOptionsFromEnv(variables).tripPolicy?.createDetector();
  if (detector === undefined) return undefined;
  let failures = 1;
  while (!detector.onFailure(0, 0, undefined)) failures++;
  return failures;
}

const at = (context: Partial<ProbeContext>): ProbeContext => ({
  attempt: 1,
  elapsedMillis: 0,
  failedProbes: 0,
  random: 0,
  ...context,
});

describe('circuitBreakerOptionsFromEnv', () => {
  it('has nothing to say about an empty environment', () => {
    expect(circuitBreakerOptionsFromEnv({})).toStrictEqual({});
  });

  it('takes a variable that is set to nothing as not set', () => {
    for (const nothing of ['', '  ', undefined]) {
      expect(
        circuitBreakerOptionsFromEnv({
          OTEL_CIRCUIT_BREAKER_ENABLED: nothing,
          OTEL_CIRCUIT_BREAKER_NAME: nothing,
          OTEL_CIRCUIT_BREAKER_FAILURE_THRESHOLD: nothing,
          OTEL_CIRCUIT_BREAKER_PROBE_EVERY: nothing,
          OTEL_CIRCUIT_BREAKER_COOLDOWN: nothing,
          OTEL_CIRCUIT_BREAKER_EXPORT_TIMEOUT: nothing,
          OTEL_CIRCUIT_BREAKER_RETENTION_MAX_ITEMS: nothing,
          OTEL_CIRCUIT_BREAKER_RETENTION_MAX_BYTES: nothing,
          OTEL_CIRCUIT_BREAKER_RETENTION_DIR: nothing,
          APP_OTEL__CIRCUIT_BREAKER_THRESHOLD: nothing,
          OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: nothing,
          OTEL_EXPORTER_OTLP_TIMEOUT: nothing,
        }),
      ).toStrictEqual({});
    }
  });

  it('reads process.env by default, and does without where there is none', () => {
    vi.stubEnv('OTEL_CIRCUIT_BREAKER_NAME', 'from-process');
    expect(circuitBreakerOptionsFromEnv().name).toBe('from-process');
    vi.stubGlobal('process', undefined);
    expect(circuitBreakerOptionsFromEnv()).toStrictEqual({});
    vi.stubGlobal('process', {});
    expect(circuitBreakerOptionsFromEnv()).toStrictEqual({});
  });

  it('does with values that are no text, as workers have them', () => {
    const bindings = {
      OTEL_CIRCUIT_BREAKER_ENABLED: false,
      OTEL_CIRCUIT_BREAKER_FAILURE_THRESHOLD: 5,
      OTEL_CIRCUIT_BREAKER_NAME: null,
      OTEL_CIRCUIT_BREAKER_EXPORT_TIMEOUT: {},
    };
    const { tripPolicy, ...rest } = circuitBreakerOptionsFromEnv(bindings as never);
    expect(tripPolicy).toBeDefined();
    expect(rest).toStrictEqual({ enabled: false });
    expect(warnings.splice(0)).toEqual([
      [
        'OTEL_CIRCUIT_BREAKER_EXPORT_TIMEOUT must be an integer of at least 0, got "[object Object]"; the default stands',
      ],
    ]);
  });

  it.each([
    ['true', true],
    ['TRUE', true],
    [' True ', true],
    ['false', false],
    ['False', false],
  ])('reads ENABLED %j as %j', (text, enabled) => {
    expect(optionsFrom({ ENABLED: text })).toStrictEqual({ enabled });
  });

  it('reads NAME', () => {
    expect(optionsFrom({ NAME: 'my collector' })).toStrictEqual({ name: 'my collector' });
  });

  it('reads FAILURE_THRESHOLD as failures in a row', () => {
    expect(Object.keys(optionsFrom({ FAILURE_THRESHOLD: '5' }))).toEqual(['tripPolicy']);
    expect(failuresToTrip({ OTEL_CIRCUIT_BREAKER_FAILURE_THRESHOLD: '5' })).toBe(5);
  });

  it("lets the original's variable stand for FAILURE_THRESHOLD", () => {
    expect(failuresToTrip({ APP_OTEL__CIRCUIT_BREAKER_THRESHOLD: '7' })).toBe(7);
    const both = { OTEL_CIRCUIT_BREAKER_FAILURE_THRESHOLD: '5', APP_OTEL__CIRCUIT_BREAKER_THRESHOLD: '7' };
    expect(failuresToTrip(both)).toBe(5);
    expect(failuresToTrip({ ...both, OTEL_CIRCUIT_BREAKER_FAILURE_THRESHOLD: '' })).toBe(7);
  });

  it('makes the default probe policy of the default numbers', () => {
    const { probePolicy } = optionsFrom({ PROBE_EVERY: '10', COOLDOWN: '5000' });
    for (const attempt of [1, 9, 10, 11, 20]) {
      for (const elapsedMillis of [0, 999, 1_000, 2_499, 2_500, 4_999, 5_000, 29_999, 30_000]) {
        for (const failedProbes of [0, 1, 2, 3, 9]) {
          for (const random of [0, 0.5, 0.999]) {
            const context = { attempt, elapsedMillis, failedProbes, random };
            expect(probePolicy?.(context), JSON.stringify(context)).toBe(defaultProbePolicy(context));
          }
        }
      }
    }
  });

  it('reads PROBE_EVERY as attempts, and leaves the pauses', () => {
    const { probePolicy, ...rest } = optionsFrom({ PROBE_EVERY: '3' });
    expect(rest).toStrictEqual({});
    expect(probePolicy?.(at({ attempt: 3, elapsedMillis: 1_000 }))).toBe(true);
    expect(probePolicy?.(at({ attempt: 3, elapsedMillis: 999 }))).toBe(false);
    expect(probePolicy?.(at({ attempt: 10, elapsedMillis: 1_000 }))).toBe(false);
    expect(probePolicy?.(at({ elapsedMillis: 2_500 }))).toBe(true);
    expect(probePolicy?.(at({ elapsedMillis: 2_499 }))).toBe(false);
  });

  it('reads COOLDOWN as the first pause in milliseconds, with six times that as the longest', () => {
    const { probePolicy, ...rest } = optionsFrom({ COOLDOWN: '20000' });
    expect(rest).toStrictEqual({});
    const random = 0.999_999;
    expect(probePolicy?.(at({ elapsedMillis: 9_999 }))).toBe(false);
    expect(probePolicy?.(at({ elapsedMillis: 10_000 }))).toBe(true);
    expect(probePolicy?.(at({ elapsedMillis: 19_000, random }))).toBe(false);
    expect(probePolicy?.(at({ elapsedMillis: 20_000, random }))).toBe(true);
    expect(probePolicy?.(at({ elapsedMillis: 119_000, random, failedProbes: 9 }))).toBe(false);
    expect(probePolicy?.(at({ elapsedMillis: 120_000, random, failedProbes: 9 }))).toBe(true);
    expect(probePolicy?.(at({ attempt: 10, elapsedMillis: 1_000 }))).toBe(true);
    expect(probePolicy?.(at({ attempt: 10, elapsedMillis: 999 }))).toBe(false);
  });

  it('has no floor above the first pause', () => {
    const { probePolicy } = optionsFrom({ COOLDOWN: '200' });
    expect(probePolicy?.(at({ attempt: 10, elapsedMillis: 199 }))).toBe(false);
    expect(probePolicy?.(at({ attempt: 10, elapsedMillis: 200 }))).toBe(true);
    expect(probePolicy?.(at({ elapsedMillis: 200, random: 0.999 }))).toBe(true);
    expect(optionsFrom({ COOLDOWN: '0' }).probePolicy?.(at({}))).toBe(true);
  });

  it('reads EXPORT_TIMEOUT in milliseconds, 0 included', () => {
    expect(optionsFrom({ EXPORT_TIMEOUT: '2500' })).toStrictEqual({ exportTimeoutMillis: 2_500 });
    expect(optionsFrom({ EXPORT_TIMEOUT: '0' })).toStrictEqual({ exportTimeoutMillis: 0 });
    expect(
      circuitBreakerOptionsFromEnv({
        OTEL_CIRCUIT_BREAKER_EXPORT_TIMEOUT: '2500',
        OTEL_EXPORTER_OTLP_TIMEOUT: '30000',
      }),
    ).toStrictEqual({ exportTimeoutMillis: 2_500 });
  });

  it.each<[Environment, number | undefined]>([
    [{ OTEL_EXPORTER_OTLP_TIMEOUT: '10000' }, undefined],
    [{ OTEL_EXPORTER_OTLP_TIMEOUT: '10001' }, 15_001],
    [{ OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '20000' }, 25_000],
    [{ OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '20000', OTEL_EXPORTER_OTLP_TIMEOUT: '40000' }, 25_000],
    [{ OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '5000', OTEL_EXPORTER_OTLP_TIMEOUT: '40000' }, undefined],
    [{ OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '', OTEL_EXPORTER_OTLP_TIMEOUT: '40000' }, 45_000],
    [{ OTEL_EXPORTER_OTLP_TIMEOUT: '2e4' }, 25_000],
    [{ OTEL_EXPORTER_OTLP_TIMEOUT: '20000.5' }, 25_001],
  ])('stays above the time-out of the OTLP exporters: %j', (env, expected) => {
    expect(circuitBreakerOptionsFromEnv(env)).toStrictEqual(
      expected === undefined ? {} : { exportTimeoutMillis: expected },
    );
  });

  it('reads RETENTION_MAX_ITEMS, where 0 switches retention off', () => {
    expect(optionsFrom({ RETENTION_MAX_ITEMS: '500' })).toStrictEqual({ retention: { maxItems: 500 } });
    const off = { retention: { maxItems: 100 }, ...optionsFrom({ RETENTION_MAX_ITEMS: '0' }) };
    expect(off.retention).toBeUndefined();
  });

  it('reads RETENTION_MAX_BYTES, where 0 switches retention off', () => {
    expect(optionsFrom({ RETENTION_MAX_BYTES: '1048576' })).toStrictEqual({
      retention: { maxBytes: 1_048_576 },
    });
    expect(optionsFrom({ RETENTION_MAX_BYTES: '5', RETENTION_MAX_ITEMS: '7' })).toStrictEqual({
      retention: { maxBytes: 5, maxItems: 7 },
    });
    expect(optionsFrom({ RETENTION_MAX_BYTES: '0', RETENTION_MAX_ITEMS: '7' })).toStrictEqual({
      retention: undefined,
    });
    expect(optionsFrom({ RETENTION_MAX_BYTES: '7', RETENTION_MAX_ITEMS: '0' })).toStrictEqual({
      retention: undefined,
    });
  });

  it('reads RETENTION_DIR, a directory for the disk store that the caller passes', () => {
    const store = {} as BatchStore<never>;
    const diskStore = vi.fn(() => store);
    const from = (variables: Environment) => circuitBreakerOptionsFromEnv(variables, { diskStore });

    expect(from({ OTEL_CIRCUIT_BREAKER_RETENTION_DIR: '/var/lib/shop' })).toStrictEqual({
      retention: { store },
    });
    expect(
      from({
        OTEL_CIRCUIT_BREAKER_RETENTION_DIR: '/var/lib/shop',
        OTEL_CIRCUIT_BREAKER_RETENTION_MAX_BYTES: '4096',
        OTEL_CIRCUIT_BREAKER_RETENTION_MAX_ITEMS: '9',
      }),
    ).toStrictEqual({ retention: { store, maxItems: 9 } });
    expect(diskStore.mock.calls).toEqual([
      [{ directory: '/var/lib/shop', maxBytes: undefined }],
      [{ directory: '/var/lib/shop', maxBytes: 4_096 }],
    ]);
    from({ OTEL_CIRCUIT_BREAKER_RETENTION_MAX_ITEMS: '9' });
    from({
      OTEL_CIRCUIT_BREAKER_RETENTION_DIR: '/var/lib/shop',
      OTEL_CIRCUIT_BREAKER_RETENTION_MAX_ITEMS: '0',
    });
    expect(diskStore).toHaveBeenCalledTimes(2);
  });

  it('keeps in memory, with one warning, where the disk store refuses the directory', () => {
    const env = {
      OTEL_CIRCUIT_BREAKER_RETENTION_DIR: '/tmp/a-link',
      OTEL_CIRCUIT_BREAKER_RETENTION_MAX_BYTES: '4096',
    };
    const diskStore = () => {
      throw new Error('/tmp/a-link is a link');
    };
    expect(circuitBreakerOptionsFromEnv(env, { diskStore })).toStrictEqual({
      retention: { maxBytes: 4_096 },
    });
    expect(warnings.splice(0)).toEqual([
      [
        'OTEL_CIRCUIT_BREAKER_RETENTION_DIR "/tmp/a-link" is not used: /tmp/a-link is a link; batches are kept in memory',
      ],
    ]);
  });

  it('keeps in memory, with one warning, where no disk store is passed', () => {
    expect(optionsFrom({ RETENTION_DIR: '/var/lib/shop' })).toStrictEqual({ retention: {} });
    expect(warnings.splice(0)).toEqual([
      [
        'OTEL_CIRCUIT_BREAKER_RETENTION_DIR "/var/lib/shop" is not used: pass { diskStore } of otel-circuit-breaker/disk to circuitBreakerOptionsFromEnv; batches are kept in memory',
      ],
    ]);
  });

  it('takes the defaults, with one warning, where the environment may not be read', () => {
    const refused = new Proxy({} as Environment, {
      get() {
        throw new Error('NotCapable: Requires env access');
      },
    });
    expect(circuitBreakerOptionsFromEnv(refused)).toStrictEqual({});
    expect(warnings.splice(0)).toEqual([
      ['the environment cannot be read (OTEL_CIRCUIT_BREAKER_ENABLED); the defaults stand'],
    ]);
  });

  it('takes the defaults where the logger throws', () => {
    const warn = () => {
      throw new Error('a logger that throws');
    };
    diag.setLogger(
      { error: vi.fn(), warn, info: vi.fn(), debug: vi.fn(), verbose: vi.fn() },
      {
        suppressOverrideMessage: true,
      },
    );
    expect(optionsFrom({ ENABLED: 'perhaps', RETENTION_DIR: '/x' })).toStrictEqual({ retention: {} });
  });

  it('reads numbers strictly, but for space around them and leading zeros', () => {
    expect(optionsFrom({ EXPORT_TIMEOUT: ' 010 ' })).toStrictEqual({ exportTimeoutMillis: 10 });
  });

  const integers = [
    '-1',
    '1.5',
    '5s',
    '5 000',
    '0x10',
    '1e3',
    '+5',
    'NaN',
    'Infinity',
    'five',
    '9007199254740993',
  ];
  const bad: [string, string, string][] = [
    ...['yes', '1', '0', 'on', 'truee'].map((text): [string, string, string] => [
      'OTEL_CIRCUIT_BREAKER_ENABLED',
      text,
      'true or false',
    ]),
    ...['FAILURE_THRESHOLD', 'PROBE_EVERY'].flatMap((variable) =>
      [...integers, '0'].map((text): [string, string, string] => [
        `OTEL_CIRCUIT_BREAKER_${variable}`,
        text,
        'a positive integer',
      ]),
    ),
    ...['COOLDOWN', 'EXPORT_TIMEOUT', 'RETENTION_MAX_ITEMS', 'RETENTION_MAX_BYTES'].flatMap((variable) =>
      integers.map((text): [string, string, string] => [
        `OTEL_CIRCUIT_BREAKER_${variable}`,
        text,
        'an integer of at least 0',
      ]),
    ),
    ['APP_OTEL__CIRCUIT_BREAKER_THRESHOLD', '0', 'a positive integer'],
    ...['OTEL_EXPORTER_OTLP_TRACES_TIMEOUT', 'OTEL_EXPORTER_OTLP_TIMEOUT'].flatMap((variable) =>
      ['0', '-1', '20s', 'Infinity'].map((text): [string, string, string] => [
        variable,
        text,
        'a number above 0',
      ]),
    ),
  ];
  it.each(bad)('warns once of %s=%s, and leaves the default', (variable, text, wanted) => {
    expect(circuitBreakerOptionsFromEnv({ [variable]: text })).toStrictEqual({});
    expect(warnings.splice(0)).toEqual([
      [`${variable} must be ${wanted}, got "${text}"; the default stands`],
    ]);
  });

  it('takes all the good values beside a bad one', () => {
    expect(optionsFrom({ NAME: 'a', ENABLED: 'perhaps', EXPORT_TIMEOUT: '5' })).toStrictEqual({
      name: 'a',
      exportTimeoutMillis: 5,
    });
    expect(warnings.splice(0)).toHaveLength(1);
  });

  it('leaves the default threshold where the first variable is bad, whatever the second says', () => {
    const env = { OTEL_CIRCUIT_BREAKER_FAILURE_THRESHOLD: 'x', APP_OTEL__CIRCUIT_BREAKER_THRESHOLD: '7' };
    expect(circuitBreakerOptionsFromEnv(env)).toStrictEqual({});
    expect(warnings.splice(0)).toHaveLength(1);
  });

  it('stays above the OTLP time-out where EXPORT_TIMEOUT is bad', () => {
    const env = { OTEL_CIRCUIT_BREAKER_EXPORT_TIMEOUT: 'x', OTEL_EXPORTER_OTLP_TIMEOUT: '20000' };
    expect(circuitBreakerOptionsFromEnv(env)).toStrictEqual({ exportTimeoutMillis: 25_000 });
    expect(warnings.splice(0)).toHaveLength(1);
  });

  it('asks the general OTLP time-out where that for traces is bad, as the OTLP exporters do', () => {
    const env = { OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: 'x', OTEL_EXPORTER_OTLP_TIMEOUT: '20000' };
    expect(circuitBreakerOptionsFromEnv(env)).toStrictEqual({ exportTimeoutMillis: 25_000 });
    expect(warnings.splice(0)).toHaveLength(1);
  });
});
