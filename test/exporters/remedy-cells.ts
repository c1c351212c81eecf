import { deepStrictEqual, match, ok } from 'node:assert/strict';
import type { Cell } from '../compat/cell.ts';
import { versionOf } from './install.ts';
import type { InApp } from './measure.ts';
import { runInApp } from './measure.ts';

interface Guarded {
  readonly untilOpen: readonly { readonly code: number; readonly millis: number }[];
  readonly opened: string;
  readonly stayed: string;
  readonly failedProbes: number;
  readonly closed: string;
}

interface Remedy<T> {
  readonly name: string;
  readonly packageName: string;
  readonly inApp: InApp;
  readonly args?: readonly string[];
  /** @returns what was seen @throws if it is not as the page says */
  check(seen: T): string;
}

function cell<T>({ name, packageName, inApp, args = [], check }: Remedy<T>): Cell {
  return {
    name,
    async run() {
      const version = await versionOf(inApp.app, packageName);
      const seen = await runInApp<T>(inApp, (url) => [url, ...args]);
      return { versions: { [packageName]: version }, detail: check(seen) };
    },
  };
}

function azureGuard(situation: '503' | 'nobody listens' | 'hang'): Cell {
  return cell<Guarded>({
    name: `remedy · Azure Monitor behind slowExportRate · ${situation}`,
    packageName: '@azure/monitor-opentelemetry-exporter',
    inApp: { app: 'azure', protocol: 'https', script: 'azure-guard.mjs' },
    args: [situation],
    check({ untilOpen, opened, stayed, failedProbes, closed }) {
      deepStrictEqual([opened, stayed, closed], ['OPEN', 'OPEN', 'CLOSED']);
      ok(failedProbes >= 2, `${failedProbes} probes kept it open`);
      const slowest = Math.max(...untilOpen.map(({ millis }) => millis));
      const answers = untilOpen.every(({ code }) => code === 0) ? 'SUCCESS' : 'FAILED';
      return `opened after ${untilOpen.length} exports with ${answers}, the slowest of ${(slowest / 1_000).toFixed(1)} s; stayed open through ${failedProbes} probes; closed when the backend was back`;
    },
  });
}

function honeycomb(given: 'exporter' | 'processor'): Cell {
  return cell<{ requests: number; offered: number; state: string }>({
    name: `remedy · Honeycomb, given ${given === 'exporter' ? '`traceExporter`' : '`spanProcessors`'}`,
    packageName: '@honeycombio/opentelemetry-node',
    inApp: { app: 'honeycomb', protocol: 'http', script: 'honeycomb-ignores.mjs' },
    args: [given],
    check({ requests, offered, state }) {
      deepStrictEqual([requests, offered, state], [1, given === 'exporter' ? 0 : 1, 'CLOSED']);
      return given === 'exporter'
        ? 'it sends with an exporter of its own, and ignores the one given'
        : 'it uses it';
    },
  });
}

/** What the page advises for blind exporters, tried. @param quickOnly - without those that wait for Azure's retries */
export function remedyCells(quickOnly: boolean): Cell[] {
  const official = cell<{ states: readonly string[]; offered: number; delivered: number; lost: number }>({
    name: 'remedy · @vercel/otel with the official OTLP exporter',
    packageName: '@vercel/otel',
    inApp: { app: 'vercel', protocol: 'http', script: 'vercel-official.mjs' },
    check({ states, offered, delivered, lost }) {
      deepStrictEqual(states, ['OPEN', 'CLOSED', 'OPEN', 'CLOSED']);
      deepStrictEqual([delivered, lost], [offered, 0]);
      return `opened and closed in two outages; ${delivered} of ${offered} spans arrived`;
    },
  });
  if (quickOnly) return [official];
  const sentry = cell<{ refused: string | null }>({
    name: 'remedy · Sentry has no exporter',
    packageName: '@sentry/opentelemetry',
    inApp: { app: 'sentry', protocol: 'http', script: 'sentry-has-none.mjs' },
    check({ refused }) {
      match(refused ?? '', /^TypeError: .*shutdown/);
      return 'what its span processor sends with has no shutdown() and no callback';
    },
  });
  return [
    official,
    ...(['503', 'nobody listens', 'hang'] as const).map(azureGuard),
    ...(['exporter', 'processor'] as const).map(honeycomb),
    sentry,
  ];
}
