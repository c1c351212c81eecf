import fc from 'fast-check';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { PRESETS } from '../../docs/playground/simulation/presets.ts';
import type { Settings } from '../../docs/playground/simulation/settings.ts';
import { DEFAULT_SETTINGS } from '../../docs/playground/simulation/settings.ts';
import { settingsCode } from '../../docs/playground/simulation/settings-code.ts';
import * as library from '../../src/index.ts';
import type { OutageSimulation } from '../../src/testing/simulate-outage.ts';
import { simulateOutage } from '../../src/testing/simulate-outage.ts';
import { compile } from '../docs/compiler.ts';
import { anySettings } from './any-settings.ts';
import { asOutage } from './as-outage.ts';

interface Constructed {
  readonly otlp: { readonly timeoutMillis?: number } | undefined;
  readonly options: OutageSimulation['options'];
}

/** Runs the code, with exporters that only note their options. */
function run(code: string): Constructed {
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
  });
  class OTLPTraceExporter {
    readonly options: Constructed['otlp'];
    constructor(options?: Constructed['otlp']) {
      this.options = options;
    }
  }
  class CircuitBreakerExporter {
    readonly constructed: Constructed;
    constructor(inner: OTLPTraceExporter, options?: Constructed['options']) {
      this.constructed = { otlp: inner.options, options };
    }
  }
  class ConsoleSpanExporter {}
  const modules: Record<string, object> = {
    'otel-circuit-breaker': { ...library, CircuitBreakerExporter },
    '@opentelemetry/exporter-trace-otlp-http': { OTLPTraceExporter },
    '@opentelemetry/sdk-trace-base': { ConsoleSpanExporter },
  };
  const execute = new Function('require', 'exports', `${outputText}\nreturn exporter.constructed;`);
  return execute((name: string) => modules[name], {}) as Constructed;
}

function played(settings: Settings, options: Constructed['options']) {
  const { fallback: _fallback, ...rest } = options ?? {};
  const { timeline, ...result } = simulateOutage({ ...asOutage(settings), options: rest });
  return { ...result, timeline: timeline.map(({ from, to, at }) => ({ from, to, at })) };
}

describe('the code for the settings', () => {
  it('is the shortest that does it', () => {
    expect(settingsCode(DEFAULT_SETTINGS)).toBe(`\
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { CircuitBreakerExporter } from 'otel-circuit-breaker';

const exporter = new CircuitBreakerExporter(new OTLPTraceExporter(), {
  retention: {},
});
`);
    expect(settingsCode({ ...DEFAULT_SETTINGS, retention: false })).toContain(
      'const exporter = new CircuitBreakerExporter(new OTLPTraceExporter());',
    );
  });

  it('writes long numbers in groups', () => {
    expect(settingsCode({ ...DEFAULT_SETTINGS, items: 150_000 })).toContain('maxItems: 150_000');
    expect(settingsCode({ ...DEFAULT_SETTINGS, items: 150 })).toContain('maxItems: 150 ');
    expect(settingsCode({ ...DEFAULT_SETTINGS, memory: 192 })).toContain('maxBytes: 192 * 1024 * 1024 ');
  });

  it('has the numbers of each policy', () => {
    const code = (different: Partial<Settings>) => settingsCode({ ...DEFAULT_SETTINGS, ...different });
    expect(code({ probe: 'backoff', initial: 2, longest: 90 })).toContain(
      'exponentialBackoff({ initialMillis: 2_000, maxMillis: 90_000 })',
    );
    expect(code({ probe: 'backoff' })).toContain('exponentialBackoff()');
    expect(code({ probe: 'cooldown', cooldown: 0.5 })).toContain('afterCooldown(500)');
    expect(code({ trip: 'rate', percent: 20, window: 30, minimum: 4 })).toContain(
      'failureRate({ threshold: 0.2, window: { millis: 30_000 }, minimumExports: 4 })',
    );
    expect(code({ trip: 'slow', slower: 1.5 })).toContain(
      'slowExportRate({ slowerThanMillis: 1_500, window: { millis: 60_000 } })',
    );
    expect(code({ pace: 3 })).toContain('retention: { pace: 3 }');
    expect(code({ timeout: 2 })).toContain('new OTLPTraceExporter({ timeoutMillis: 2_000 })');
  });

  it('compiles, for each preset', () => {
    const files = PRESETS.map(({ id, settings }) => [`${id}.mts`, settingsCode(settings)]);
    expect(compile(Object.fromEntries(files))).toEqual([]);
  });

  it('does what the playground plays', () => {
    fc.assert(
      fc.property(anySettings, (any) => {
        const settings = { ...any, minutes: 2, rate: Math.min(4, any.rate) };
        const { otlp, options } = run(settingsCode(settings));
        expect(played(settings, options)).toEqual(played(settings, asOutage(settings).options));
        expect(otlp?.timeoutMillis ?? 10_000).toBe(Math.round(settings.timeout * 1_000));
        expect(options?.fallback !== undefined).toBe(settings.fallback);
      }),
      { numRuns: 30 },
    );
  });
});
