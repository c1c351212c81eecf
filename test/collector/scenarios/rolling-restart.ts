/** Scenario 8: two Collectors behind nginx are restarted one after the other while eight clients export. */

import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { waitFor } from '../../support/wait-for.ts';
import type { ClientReport, LaneName, LaneReport, Protocol } from '../client/messages.ts';
import type { ClientProcess } from '../client-process.ts';
import type { CollectorProcess } from '../collector-process.ts';
import { plain } from '../configs.ts';
import { freePorts } from '../free-ports.ts';
import { nginxConfig } from '../nginx-config.ts';
import { all, arrival, eachLane, settle } from '../outage.ts';
import { anonymousSpan, rawPost } from '../raw-post.ts';
import { describeFailure, makeRow, operatorSees } from '../rows.ts';
import type { Row, Scenario, Surroundings } from '../scenario.ts';
import { spawnGuarded } from '../spawn-guarded.ts';

const CLIENTS = 8;
/** That each exporter is given while a Collector is away. */
const BATCHES_AWAY = 4;
const LANES: readonly LaneName[] = ['none', 'retention'];

interface Front {
  readonly httpUrl: string;
  readonly grpcUrl: string;
}

type Restart = (
  collectors: readonly CollectorProcess[],
  clients: readonly ClientProcess[],
  saw: (line: string) => void,
) => Promise<void>;

const SETTING = `${CLIENTS} client processes, half over OTLP/HTTP protobuf and half over gRPC, each with one exporter without and one with retention; nginx with \`max_fails=1 fail_timeout=1s\`. A row is the sum of four exporters: "opened after" counts from the first SIGTERM and is the first of them, "closed after" counts from when both Collectors answer and is the last of them.`;

export const rollingRestart = scenario(
  '8a',
  'rolling restart of two Collectors behind nginx',
  `${SETTING} Each Collector in turn gets SIGTERM, is away for some batches, and is started; the second goes when the first answers. nginx tries the other one. No circuit needs to open: fewer than three failures in a row are no outage. Those that do open when the second goes as soon as the first answers: for up to a second nginx still counts the first as failed ("no live upstreams", 502). A pause between the two of more than \`fail_timeout\` is for whoever writes the rollout.`,
  false,
  async (collectors, clients, saw) => {
    const beganAt = Date.now();
    for (const collector of collectors) {
      saw(
        `SIGTERM to Collector ${collectors.indexOf(collector) + 1} after ${((Date.now() - beganAt) / 1_000).toFixed(1)} s`,
      );
      await collector.terminate();
      const batches = await fewestBatches(clients);
      await waitFor(async () => (await fewestBatches(clients)) >= batches + BATCHES_AWAY, {
        what: 'batches to be exported while a Collector is away',
        timeoutMillis: 240_000,
        intervalMillis: 100,
      });
      await collector.start();
    }
  },
);

export const hastyRestart = scenario(
  '8b',
  'the same, the second gone before the first is back',
  'As 8a, but the second gets SIGTERM when the first has ended, as where no readiness is waited for: nginx answers 502, and UNAVAILABLE to gRPC. They are started when all circuits are open.',
  true,
  async (collectors, clients) => {
    for (const collector of collectors) await collector.terminate();
    await eachLane(clients, 'all circuits to open', 240_000, ({ snapshot }) => snapshot.state !== 'CLOSED');
    for (const collector of collectors) await collector.start();
  },
);

/** How many batches every exporter has been given at least. */
async function fewestBatches(clients: readonly ClientProcess[]): Promise<number> {
  const lanes = await all(clients, (client) => client.lanes());
  return Math.min(...lanes.flat().map(({ snapshot }) => snapshot.delivery.offered.batches));
}

function scenario(id: string, title: string, about: string, opens: boolean, restart: Restart): Scenario {
  return { id, title, about, needsNginx: true, run: (here) => run(here, id, opens, restart) };
}

async function run(
  here: Surroundings,
  id: string,
  opens: boolean,
  restart: Restart,
): Promise<readonly Row[]> {
  if (here.nginx === undefined) throw new Error('no nginx: see test/collector/find-nginx.ts');
  const collectors = [await here.collector(plain), await here.collector(plain)];
  const front = await startNginx(here, here.nginx, collectors);
  const spans = (): number[] => collectors.flatMap((collector) => collector.spans());
  const clients = await all(
    Array.from({ length: CLIENTS }, (_, index): Protocol => (index % 2 === 0 ? 'protobuf' : 'grpc')),
    (protocol) =>
      here.client({
        sdk: '2.12',
        protocol,
        url: protocol === 'grpc' ? front.grpcUrl : front.httpUrl,
        lanes: LANES,
      }),
  );
  await all(clients, (client) => client.tell({ command: 'traffic' }));
  await eachLane(clients, 'spans to be delivered', 240_000, ({ snapshot }) => {
    return snapshot.delivery.delivered.items > 20 && snapshot.state === 'CLOSED';
  });

  const beganAt = Date.now();
  const seen = await whileAway(
    clients,
    restart(collectors, clients, (line) => here.saw(line)),
  );
  const endedAt = Date.now();
  await eachLane(clients, 'all circuits to be closed', 240_000, ({ snapshot }) => {
    return snapshot.state === 'CLOSED' && snapshot.delivery.kept.items === 0;
  });
  here.saw(
    `all circuits closed, nothing kept: ${((Date.now() - endedAt) / 1_000).toFixed(1)} s after the restart`,
  );
  here.saw(`nginx had no live upstream for ${countLines(here, 'no live upstreams')} requests`);
  const last = await settle(clients);
  const kept = last.flatMap(({ lanes }) => lanes.filter(({ lane }) => lane === 'retention'));
  await arrival(spans, kept);
  const arrived = spans();

  const parts = clients.flatMap((client, index) =>
    (last[index]?.lanes ?? []).map((lane, at) => {
      const sees = operatorSees(seen[index]?.lanes[at] as LaneReport);
      const row = makeRow({ scenario: id, client, lane, arrived, sees, fault: { beganAt, endedAt } });
      return { client, lane, row };
    }),
  );
  for (const protocol of ['protobuf', 'grpc'] as const) {
    const own = parts.filter(({ client }) => client.protocol === protocol);
    const failures = own.map(({ lane }) => lane.snapshot.exports.failure);
    const causes = new Set(own.flatMap(({ lane }) => failureOf(lane)));
    const opened = own.filter(({ row }) => row.openedMillis !== undefined).length;
    here.saw(
      `${protocol}: ${opened} of ${own.length} circuits opened; ${sum(failures)} failed exports; last: ${[...causes].join(', ') || 'none'}`,
    );
  }
  return (['protobuf', 'grpc'] as const).flatMap((protocol) =>
    LANES.map((name) =>
      together(
        parts.filter(({ client, lane }) => client.protocol === protocol && lane.lane === name),
        opens,
      ),
    ),
  );
}

/** Looks at the clients until the restart is over. @returns the last reports in which one was not healthy, if any */
async function whileAway(
  clients: readonly ClientProcess[],
  restart: Promise<void>,
): Promise<readonly ClientReport[]> {
  let over = false;
  const ended = restart.finally(() => {
    over = true;
  });
  // Awaited below; until then a rejection must have a handler.
  ended.catch(() => {});
  let seen = await all(clients, (client) => client.tell({ command: 'report' }));
  await waitFor(
    async () => {
      const now = await all(clients, (client) => client.tell({ command: 'report' }));
      if (badness(now) >= badness(seen)) seen = now;
      return over;
    },
    { what: 'the restart to be over', timeoutMillis: 240_000, intervalMillis: 100 },
  );
  await ended;
  return seen;
}

function badness(reports: readonly ClientReport[]): number {
  return reports.flatMap(({ lanes }) => lanes).filter(({ health }) => health.httpStatus !== 200).length;
}

function countLines(here: Surroundings, text: string): number {
  const log = fs.readFileSync(path.join(here.folder, 'nginx-error.log'), 'utf8');
  return log.split('\n').filter((line) => line.includes(text)).length;
}

function failureOf({ snapshot: { lastFailure } }: LaneReport): string[] {
  return lastFailure === null ? [] : [describeFailure(lastFailure)];
}

function together(
  parts: readonly { client: ClientProcess; lane: LaneReport; row: Row }[],
  opens: boolean,
): Row {
  const rows = parts.map(({ row }) => row);
  const [first] = rows as [Row];
  const defined = (values: readonly (number | undefined)[]): number[] =>
    values.filter((value) => value !== undefined);
  const opened = defined(rows.map(({ openedMillis }) => openedMillis));
  const closed = defined(rows.map(({ closedMillis }) => closedMillis));
  const lost = sum(rows.map((row) => row.lost));
  const problems = rows.flatMap((row) => row.problems);
  if (first.lane === 'retention' && lost > 0) problems.push(`${lost} spans lost with retention`);
  if (opens && opened.length !== parts.length) problems.push(`${opened.length} of ${parts.length} opened`);
  if (opened.length !== closed.length) problems.push('a circuit opened and did not close');
  for (const { lane } of parts)
    if (lane.health.body.status !== 'healthy') problems.push(`one ended ${lane.health.body.status}`);
  return {
    ...first,
    made: sum(rows.map((row) => row.made)),
    arrived: sum(rows.map((row) => row.arrived)),
    duplicated: sum(rows.map((row) => row.duplicated)),
    lost,
    openedMillis: opened.length === 0 ? undefined : Math.min(...opened),
    closedMillis: closed.length === 0 ? undefined : Math.max(...closed),
    sees: rows.find(({ sees }) => !sees.startsWith('200'))?.sees ?? first.sees,
    problems,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

async function startNginx(
  here: Surroundings,
  nginx: string,
  collectors: readonly CollectorProcess[],
): Promise<Front> {
  const [httpPort, grpcPort] = (await freePorts(2)) as [number, number];
  const config = path.join(here.folder, 'nginx.conf');
  fs.writeFileSync(config, nginxConfig(here.folder, { httpPort, grpcPort }, collectors));
  const log = path.join(here.folder, 'nginx.log');
  const child = spawnGuarded(nginx, ['-p', here.folder, '-e', log, '-c', config], log);
  const ended = once(child, 'exit');
  here.keep({
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  });
  const httpUrl = `http://127.0.0.1:${httpPort}/v1/traces`;
  await waitFor(async () => (await rawPost(httpUrl, anonymousSpan())).status === 200, {
    what: `nginx to answer; its log: ${fs.readFileSync(log, 'utf8')}`,
    timeoutMillis: 30_000,
    intervalMillis: 50,
  });
  return { httpUrl, grpcUrl: `http://127.0.0.1:${grpcPort}` };
}
