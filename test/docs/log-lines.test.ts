import { createNoopMeter, DiagLogLevel, diag } from '@opentelemetry/api';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { circuitBreakerOptionsFromEnv } from '../../src/adapters/env.ts';
import { logTransitions } from '../../src/adapters/logging.ts';
import { observeCircuitBreakers } from '../../src/adapters/metrics.ts';
import type { CircuitBreakerExporterOptions } from '../../src/index.ts';
import { CircuitBreakerExporter, consecutiveFailures, slowExportRate } from '../../src/index.ts';
import { ManualClock } from '../../src/testing/manual-clock.ts';
import type { ScriptedStep } from '../../src/testing/scripted-exporter.ts';
import { ScriptedExporter } from '../../src/testing/scripted-exporter.ts';
import { tableBetween } from './markdown.ts';
import { problemLines } from './problem-lines.ts';

const GUIDE = 'docs/TELEMETRY.md';

interface Line {
  readonly level: string;
  readonly text: string;
}

/** A line of the guide as an expression: `<…>` is anything, `[…]` may be missing. */
function pattern(cell: string): RegExp {
  const escaped = cell.slice(1, -1).replaceAll(/[.*+?^${}()|\\]/g, '\\$&');
  const optional = escaped.replaceAll(/\[([^\]]*)\]/g, '(?:$1)?');
  return new RegExp(`^${optional.replaceAll(/<[^>]+>/g, '.+')}$`);
}

/** What is wrong between lines that were written and a table of the guide. */
function differences(lines: readonly Line[], table: string) {
  const rows = tableBetween(GUIDE, table).map(([level = '', cell = '']) => ({
    level,
    cell,
    fits: pattern(cell),
  }));
  const matches = (row: (typeof rows)[number], line: Line) =>
    row.level === line.level && row.fits.test(line.text);
  return {
    notInTheGuide: lines.filter((line) => !rows.some((row) => matches(row, line))),
    neverWritten: rows.filter((row) => !lines.some((line) => matches(row, line))).map(({ cell }) => cell),
  };
}

const refused = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' });

/** Who writes the lines about an outage: the exporter itself, or `logTransitions` that listens to it or to its breaker. */
type Listening = 'nobody' | 'to the exporter' | 'to the breaker';

/** An exporter that hears of `steps`, and what is logged of its transitions. */
function rig(
  listening: Listening,
  steps: ScriptedStep<number[]>[],
  options: CircuitBreakerExporterOptions<number[]> = {},
) {
  const clock = new ManualClock();
  const inner = new ScriptedExporter<number[]>(steps);
  const exporter = new CircuitBreakerExporter(inner, { clock, probePolicy: () => true, ...options });
  const logged: Line[] = [];
  const logger = (level: string) => (text: string) => logged.push({ level, text });
  if (listening !== 'nobody') {
    logTransitions(listening === 'to the breaker' ? exporter.breaker : exporter, {
      warn: logger('warn'),
      info: logger('info'),
      debug: logger('debug'),
    });
  }
  const send = (count: number) => {
    for (let i = 0; i < count; i++) exporter.export([1, 2], () => {});
  };
  return { clock, exporter, inner, send, logged };
}

/** Everything that can happen, once. */
async function everything(listening: Listening): Promise<Line[]> {
  const probing = rig(listening, [refused, refused, refused, refused, 'success']);
  probing.send(5);

  const byHand = rig(listening, [refused, 'hold'], { tripPolicy: consecutiveFailures(1) });
  byHand.send(2);
  byHand.exporter.breaker.forceOpen();
  byHand.send(1);
  byHand.exporter.breaker.forceClosed();
  byHand.exporter.breaker.forceOpen();
  byHand.exporter.breaker.reset();

  const slow = rig(listening, ['hold'], {
    tripPolicy: slowExportRate({ slowerThanMillis: 10, window: { exports: 1 } }),
  });
  slow.send(1);
  slow.clock.advance(100);
  slow.inner.release();

  const full = rig(listening, [refused, refused, refused, refused, refused], {
    probePolicy: () => false,
    retention: { maxItems: 3 },
    shutdownTimeoutMillis: 10,
  });
  full.send(5);
  const down = full.exporter.shutdown();
  full.clock.advance(1_000);
  await down;

  const limited = rig(listening, [new Error('Concurrent export limit reached')]);
  limited.send(1);

  observeCircuitBreakers(createNoopMeter(), undefined);
  circuitBreakerOptionsFromEnv({ OTEL_CIRCUIT_BREAKER_ENABLED: 'maybe' });
  return [probing, byHand, slow, full].flatMap(({ logged }) => logged);
}

describe('log lines in the guide', () => {
  const written: Line[] = [];

  beforeEach(() => {
    const level = (name: string) => (text: string) => {
      written.push({ level: name, text });
    };
    const logger = {
      warn: level('warn'),
      info: level('info'),
      error: level('error'),
      debug() {},
      verbose() {},
    };
    diag.setLogger(logger, { logLevel: DiagLogLevel.ALL, suppressOverrideMessage: true });
  });
  afterEach(() => diag.disable());

  it('are those that the library writes, all of them', async () => {
    await everything('nobody');
    expect(differences(written, 'log-lines')).toEqual({ notInTheGuide: [], neverWritten: [] });
    const logged = [...(await everything('to the exporter')), ...(await everything('to the breaker'))];
    expect(differences(logged, 'transition-lines')).toEqual({ notInTheGuide: [], neverWritten: [] });
  });

  it('name every message for onError that there is in the source', () => {
    const inGuide = tableBetween(GUIDE, 'problem-lines').map(([line = '']) => line.slice(1, -1));
    expect(inGuide.length).toBeGreaterThan(10);
    expect(inGuide.sort()).toEqual(problemLines());
  });
});
