import { ok, strictEqual } from 'node:assert/strict';
import { once } from 'node:events';
import { cpSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { Child } from '../support/child-process.ts';
import { startChild } from '../support/child-process.ts';
import { decodeBatch } from '../support/receiver/otlp-batch.ts';
import { within } from '../support/wait-for.ts';
import type { Cell } from './cell.ts';
import { cleanEnv, outputOf } from './command.ts';
import { installApp, installedVersions } from './install-app.ts';
import type { SdkLine } from './lines.ts';
import { lines, nodeVersions } from './lines.ts';
import { nodeBinary } from './nodes.ts';
import { here } from './places.ts';

const LINE = lines.find(({ name }) => name === 'sdk-2.12') as SdkLine;
const INVOCATIONS = 24;

/** The recipe of the guide, frozen after every invocation, with a backend that resets what was open during a freeze. */
export function functionCells(): Cell[] {
  return [
    {
      name: 'function · SDK 2.12 · Node 24 · frozen after each invocation · npm',
      async run() {
        const { folder, manager } = await installApp(LINE, 'npm');
        cpSync(join(here, 'snippets', LINE.name), join(folder, 'snippets'), { recursive: true });
        await using backend = await startBackend();
        const bare = await invokeAll(folder, './bare-handler.mjs', backend);
        const recipe = await invokeAll(folder, './snippets/serverless-handler.ts', backend);
        // Otherwise nothing has been tried.
        ok(bare.resets > 0 && bare.delivered < INVOCATIONS, `the bare exporter met ${bare.resets} resets`);
        ok(recipe.delivered >= bare.delivered, `${recipe.delivered}, the bare exporter ${bare.delivered}`);
        strictEqual(recipe.delivered, INVOCATIONS);
        const slow = await invokeInOutage(folder, backend);
        return {
          versions: { node: nodeVersions[24], ...installedVersions(folder), manager },
          detail: `${recipe.delivered} of ${INVOCATIONS} spans, the bare exporter ${bare.delivered}; in an outage ${slow}`,
        };
      },
    },
  ];
}

interface Backend extends AsyncDisposable {
  readonly url: string;
  readonly spans: number;
  readonly resets: number;
  /** From now on, what is open is reset at its next use. */
  sever(): void;
  /** Whether requests are answered. */
  hangs: boolean;
}

async function startBackend(): Promise<Backend> {
  const open = new Set<Socket>();
  const severed = new Set<Socket>();
  const state = { spans: 0, resets: 0, hangs: false };
  const server = createServer(async (request, response) => {
    if (severed.has(request.socket)) {
      state.resets += 1;
      request.socket.resetAndDestroy();
      return;
    }
    if (state.hangs) return;
    state.spans += decodeBatch('traces', 'json', await buffer(request)).items;
    response.writeHead(200, { 'Content-Type': 'application/json' }).end('{}');
  });
  // A socket that this side closes is no surprise to the exporter.
  server.keepAliveTimeout = 0;
  server.on('connection', (socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get spans() {
      return state.spans;
    },
    get resets() {
      return state.resets;
    },
    get hangs() {
      return state.hangs;
    },
    set hangs(value) {
      state.hangs = value;
    },
    sever() {
      for (const socket of open) severed.add(socket);
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function startFunction(cwd: string, handler: string, url: string): Promise<Child> {
  const env = { ...cleanEnv(), OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_NODE_RESOURCE_DETECTORS: 'none' };
  return startChild(await nodeBinary(24), ['--no-warnings', 'function.mjs', handler], {
    cwd,
    env,
    ipc: true,
  });
}

/** @returns how long it took, in milliseconds */
async function invoke(child: Child, id: number): Promise<number> {
  const reply = once(child.process, 'message') as Promise<[{ readonly millis: number }]>;
  child.process.send({ id });
  const what = `invocation ${id} to end; the function says:\n${outputOf(child)}`;
  const [{ millis }] = await within(reply, { what, timeoutMillis: 20_000 });
  return millis;
}

/** Invokes the function, and freezes it after each answer. */
async function invokeAll(
  folder: string,
  handler: string,
  backend: Backend,
): Promise<{ readonly delivered: number; readonly resets: number }> {
  const before = { spans: backend.spans, resets: backend.resets };
  await using child = await startFunction(folder, handler, backend.url);
  await within(once(child.process, 'message'), { what: 'the function to be ready', timeoutMillis: 20_000 });
  for (let id = 1; id <= INVOCATIONS; id += 1) {
    await invoke(child, id);
    await child.stop();
    backend.sever();
    child.cont();
  }
  return { delivered: backend.spans - before.spans, resets: backend.resets - before.resets };
}

/** How many of the invocations waited for a backend that hangs. */
async function invokeInOutage(folder: string, backend: Backend): Promise<string> {
  backend.hangs = true;
  await using child = await startFunction(folder, './snippets/serverless-handler.ts', backend.url);
  await within(once(child.process, 'message'), { what: 'the function to be ready', timeoutMillis: 20_000 });
  const took: number[] = [];
  for (let id = 1; id <= 8; id += 1) took.push(await invoke(child, id));
  const waited = took.map((millis) => millis > 250);
  // Two open the circuit; then every third is a probe.
  strictEqual(String(waited), 'true,true,false,false,true,false,false,true');
  return `${waited.filter(Boolean).length} of ${took.length} waited ${Math.round(Math.max(...took))} ms at most`;
}
