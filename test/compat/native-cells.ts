import { deepStrictEqual, match, strictEqual } from 'node:assert/strict';
import { createContext, runInContext } from 'node:vm';
import { build, version as esbuildVersion } from 'esbuild';
import type { HealthReport } from '../../src/adapters/health.ts';
import type { ExporterSnapshot } from '../../src/index.ts';
import { startReceiver } from '../support/receiver-process.ts';
import { waitFor } from '../support/wait-for.ts';
import type { Cell } from './cell.ts';
import type { InstalledApp } from './install-app.ts';
import { installApp, installedVersions } from './install-app.ts';
import type { SdkLine } from './lines.ts';
import { lines } from './lines.ts';

const LINE = lines.find(({ name }) => name === 'sdk-2.12') as SdkLine;

/** As far as a bundler can show it: no phone, but its conditions, and nothing that its engine may lack. */
export function nativeCells(): Cell[] {
  return [
    {
      name: 'bundle · React Native · exporter made with fetch · npm',
      async run() {
        const app = await installApp(LINE, 'npm');
        const script = await bundle(app, "import './native.mjs'");
        const required = await bundle(
          app,
          "globalThis.loaded = Object.keys(require('otel-circuit-breaker'))",
        );
        match(String(runInContext(`${required}\nloaded`, phone())), /CircuitBreakerExporter/);
        const made = await liveThrough(script);
        const { api, library } = installedVersions(app.folder) as Record<'api' | 'library', string>;
        return {
          versions: { esbuild: esbuildVersion, api, library, manager: app.manager },
          detail: `${made} spans, none lost, without performance, process and Buffer; bundle of ${(script.length / 1_024).toFixed(0)} KiB`,
        };
      },
    },
  ];
}

/** Fails on whatever is not in the packages, such as a built-in of Node. */
async function bundle({ folder }: InstalledApp, contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: folder },
    bundle: true,
    write: false,
    platform: 'neutral',
    conditions: ['react-native', 'browser'],
    mainFields: ['react-native', 'browser', 'module', 'main'],
    format: 'iife',
    logLevel: 'silent',
  });
  return outputFiles[0]?.text ?? '';
}

/** The globals of the language, timers that are numbers, and `fetch`: no `performance`, no `process`, no `Buffer`. */
function phone(): object {
  return createContext({
    fetch,
    setTimeout: (callback: () => void, millis: number) => Number(setTimeout(callback, millis)),
    clearTimeout,
  });
}

interface Compat {
  start(url: string): void;
  work(): number;
  snapshot(): ExporterSnapshot;
  health(): HealthReport;
  lines(): readonly string[];
}

async function liveThrough(script: string): Promise<number> {
  await using receiver = await startReceiver({ protocol: 'http' });
  const compat = runInContext(`${script}\ncompat`, phone()) as Compat;
  compat.start(receiver.endpoint('traces'));
  let made = 0;
  const workUntil = (what: string, holds: (snapshot: ExporterSnapshot) => boolean) =>
    waitFor(
      () => {
        made = compat.work();
        const snapshot = compat.snapshot();
        if (holds(snapshot)) return true;
        throw new Error(JSON.stringify(snapshot));
      },
      { what, timeoutMillis: 20_000, intervalMillis: 20 },
    );
  await workUntil('spans to be delivered', ({ delivery }) => delivery.delivered.items > 3);
  for (const mode of ['status:503', 'hang'] as const) {
    await receiver.mode(mode);
    await workUntil(`${mode} to open the circuit`, ({ state }) => state === 'OPEN');
    strictEqual(compat.health().httpStatus, 503);
    await receiver.restart('healthy');
    await workUntil('the circuit to be closed, and nothing to be kept', ({ state, delivery }) => {
      return state === 'CLOSED' && delivery.kept.items === 0;
    });
  }
  await waitFor(async () => (await receiver.stats()).distinct === made, {
    what: `all ${made} spans to arrive`,
  });
  strictEqual(compat.snapshot().delivery.lost.items, 0, 'nothing is lost');
  deepStrictEqual(
    Array.from(compat.lines(), (line) => line.split(' ')[2]),
    ['opened', 'closed', 'opened', 'closed'],
  );
  return made;
}
