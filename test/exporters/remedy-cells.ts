import { deepStrictEqual, match } from 'node:assert/strict';
import type { Cell } from '../compat/cell.ts';
import { versionOf } from './install.ts';
import type { InApp } from './measure.ts';
import { runInApp } from './measure.ts';

interface Guarded {
  readonly opened: boolean;
  readonly untilOpen: readonly { readonly code: number; readonly millis: number }[];
  readonly stayedOpen: boolean;
  readonly failedProbes: number;
  /** Exports in the outage that were answered with SUCCESS. */
  readonly hidden: number;
  readonly closed: boolean;
  readonly lost: number;
  readonly kept: number;
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

const WORKED = { opened: true, stayedOpen: true, closed: true, lost: 0, kept: 0 };

function azureGuard(situation: '503' | 'nobody listens' | 'hang'): Cell {
  return cell<Guarded>({
    name: `remedy · Azure Monitor behind \`slowExportRate\` · ${situation}`,
    packageName: '@azure/monitor-opentelemetry-exporter',
    inApp: { app: 'azure', protocol: 'https', script: 'azure-guard.mjs' },
    args: [situation],
    check({ opened, untilOpen, stayedOpen, failedProbes, hidden, closed, lost, kept }) {
      deepStrictEqual({ opened, stayedOpen, closed, lost, kept }, WORKED);
      const slowest = Math.max(0, ...untilOpen.map(({ millis }) => millis));
      const answers =
        untilOpen.length === 0
          ? 'exports without an answer'
          : `answers that took up to ${(slowest / 1_000).toFixed(1)} s`;
      return `opened after ${answers}, stayed open through ${failedProbes} probes, closed when the backend was back; ${hidden} exports of the outage were answered with SUCCESS`;
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
    name: 'remedy · `@vercel/otel` with the official OTLP exporter',
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
    name: 'no exporter · Sentry',
    packageName: '@sentry/opentelemetry',
    inApp: { app: 'sentry', protocol: 'http', script: 'sentry-has-none.mjs' },
    check({ refused }) {
      match(refused ?? '', /^TypeError: .*shutdown/);
      return 'its span processor sends with a transport of its own';
    },
  });
  return [
    official,
    ...(['503', 'nobody listens', 'hang'] as const).map(azureGuard),
    ...(['exporter', 'processor'] as const).map(honeycomb),
    sentry,
  ];
}
