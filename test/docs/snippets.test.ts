import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Checkout } from './library.ts';
import { installLibrary } from './library.ts';
import { ROOT, readPage, tableUnder } from './markdown.ts';

const README_LINES = 200;

const readme = readPage('README.md');
const linesOf = (file: string): string[] => readFileSync(`${ROOT}/${file}`, 'utf8').trimEnd().split('\n');

/** The block of README that has this line. */
function blockWith(line: string): string {
  const blocks = readme.blocks.filter(({ code }) => code.split('\n').includes(line));
  expect(blocks).toHaveLength(1);
  return blocks[0]?.code ?? '';
}

/** Lines of `lines` that are not in `others`. */
function onlyIn(lines: readonly string[], others: readonly string[]): string[] {
  return lines.filter((line) => !others.includes(line)).map((line) => line.trim());
}

describe('README', () => {
  it(`has at most ${README_LINES} lines`, () => {
    expect(linesOf('README.md').length).toBeLessThanOrEqual(README_LINES);
  });

  it('shows the quick start that test/examples runs', () => {
    expect(blockWith('sdk.start();').split('\n')).toEqual(linesOf('examples/telemetry.mjs').slice(1));
  });

  it('names the lines of the quick start that differ in other SDK versions, as test/compat compiles them', () => {
    const snippet = (line: string) => linesOf(`test/compat/snippets/sdk-${line}/three-signals.ts`);
    const quickStart = linesOf('examples/telemetry.mjs');
    expect(onlyIn(snippet('2.12').slice(1), quickStart)).toEqual([]);
    expect(onlyIn(snippet('3.1').slice(1), quickStart)).toEqual([
      "import * as core from '@opentelemetry/core';",
      "import * as logs from '@opentelemetry/sdk-logs';",
      "import * as metrics from '@opentelemetry/sdk-metrics';",
      "import { NodeSDK } from '@opentelemetry/sdk-node';",
    ]);
    expect(onlyIn(snippet('1.30').slice(1), quickStart)).toEqual([
      'metricReader: new metrics.PeriodicExportingMetricReader({ exporter: metricExporter }),',
      'logRecordProcessors: [new logs.BatchLogRecordProcessor(logExporter)],',
    ]);
    const differences = tableUnder('README.md', '| SDK | experimental packages | difference |').flat();
    expect(differences.join(' ')).toContain("`import * as core from '@opentelemetry/core'`");
    expect(differences.join(' ')).toContain('`new logs.BatchLogRecordProcessor(logExporter)`');
  });

  describe('the block about extending', () => {
    let checkout: Checkout;
    beforeAll(async () => {
      checkout = await installLibrary();
    });
    afterAll(() => checkout?.remove());

    const run = (code: string) => {
      const file = join(checkout.folder, 'extending.mts');
      writeFileSync(file, code);
      const { status, stderr } = spawnSync(process.execPath, [file], { encoding: 'utf8' });
      return { status, stderr };
    };
    const code = blockWith("import fc from 'fast-check';");

    it('runs: its property test passes', () => {
      expect(run(code)).toEqual({ status: 0, stderr: '' });
    });

    it('has a property test that fails for a probe policy that never probes', () => {
      const broken = code.replace(
        'attempt % 5 === 0 || elapsedMillis >= 20_000',
        'attempt + elapsedMillis < 0',
      );
      expect(broken).not.toBe(code);
      expect(run(broken)).toMatchObject({ status: 1, stderr: expect.stringContaining('Property failed') });
    });
  });
});
