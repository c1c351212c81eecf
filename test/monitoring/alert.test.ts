import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startChild } from '../support/child-process.ts';
import { startReceiver } from '../support/receiver-process.ts';
import { waitFor } from '../support/wait-for.ts';
import { minutesAsSeconds, packFile } from './pack.ts';
import { alertmanagerProgram, needs } from './programs.ts';
import { freeAddress, startPrometheus } from './prometheus-process.ts';
import { startService } from './start-service.ts';

const ALERT = 'TelemetryLost';

/** What one would write at first: a breaker that probes is never OPEN for long. */
const NAIVE = `
      - alert: UnbrokenOpen
        expr: otel_circuit_breaker_state{state="open"} == 1
        for: 8m
`;

/** A notification, as Alertmanager posts it to a webhook. */
interface Notification {
  readonly receiver: string;
  readonly status: 'firing' | 'resolved';
  readonly groupKey: string;
  readonly groupLabels: Record<string, string>;
  readonly alerts: readonly { readonly annotations: Record<string, string> }[];
}

/** Somebody's pager and ticket system. */
async function startPager() {
  const heard: Notification[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk;
    });
    request.on('end', () => {
      heard.push(JSON.parse(body) as Notification);
      response.end();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    heard,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** A real Alertmanager with the pack's route, whose receivers are the pager. */
async function startAlertmanager(pager: string) {
  const folder = await mkdtemp(join(tmpdir(), 'alertmanager-'));
  const config = minutesAsSeconds(packFile('alertmanager.yml')).replaceAll(/http:\/\/\S+/g, pager);
  await writeFile(join(folder, 'alertmanager.yml'), config);
  const address = await freeAddress();
  const child = await startChild(alertmanagerProgram(), [
    `--config.file=${join(folder, 'alertmanager.yml')}`,
    `--storage.path=${join(folder, 'data')}`,
    `--web.listen-address=${address}`,
    '--cluster.listen-address=',
  ]);
  const close = async (): Promise<void> => {
    await child.kill();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    await waitFor(async () => (await fetch(`http://${address}/-/ready`)).ok, {
      what: 'Alertmanager',
      timeoutMillis: 20_000,
      intervalMillis: 100,
    });
  } catch (error) {
    await close();
    throw new Error(`${String(error)}; its stderr:\n${child.errorLines.join('\n')}`);
  }
  return { address, [Symbol.asyncDispose]: close };
}

it('pages once for two breakers that probe a hanging collector with slow probes, and resolves after its recovery', async (context) => {
  needs(context, 'prometheus', alertmanagerProgram());
  await using receiver = await startReceiver({ protocol: 'http', mode: 'hang' });
  await using service = await startService(receiver.endpoint('traces'));
  await using pager = await startPager();
  await using alertmanager = await startAlertmanager(pager.url);
  await using prometheus = await startPrometheus({
    job: 'shop',
    target: service.target,
    rules: minutesAsSeconds(packFile('rules.yml') + NAIVE),
    alertmanager: alertmanager.address,
  });
  const firing = async () =>
    (await prometheus.alerts())
      .filter(({ state }) => state === 'firing')
      .map(({ labels }) => labels['alertname']);
  const notified = (status: Notification['status']) =>
    waitFor(
      () => pager.heard.find((each) => each.status === status && each.groupLabels['alertname'] === ALERT),
      { what: `the pager to hear that it is ${status}`, timeoutMillis: 20_000 },
    );

  // The circuit without retention loses first.
  await waitFor(async () => (await firing()).filter((alert) => alert === ALERT).length === 2, {
    what: `${ALERT} to fire for both circuits`,
    timeoutMillis: 60_000,
    intervalMillis: 100,
  });
  // Half the time it was not even OPEN: what looks for that has seen nothing.
  expect(await firing()).not.toContain('UnbrokenOpen');
  const pending = 'count_over_time(ALERTS{alertname="UnbrokenOpen",alertstate="pending"}[20s])';
  expect(await prometheus.query(pending)).toHaveLength(2);
  const halfOpen = 'max_over_time(otel_circuit_breaker_state{state="half_open"}[5s])';
  expect((await prometheus.query(halfOpen)).map(({ value }) => value[1])).toEqual(['1', '1']);
  expect(await service.health()).toMatchObject({ status: 'unhealthy' });
  const page = await notified('firing');
  expect(page).toMatchObject({ receiver: 'on-call', groupLabels: { job: 'shop' } });
  expect(page.alerts[0]?.annotations['summary']).toMatch(
    /^shop loses \d+(\.\d+)?% of the telemetry of "audit" since \d{4}-\d\d-\d\d /,
  );
  expect(page.alerts[0]?.annotations['description']).toMatch(
    /^By reason, in the last 5 minutes: .*\d rejected.*\. Last failure: timed out \(instances: 1\)\.$/,
  );

  const NOT_CLOSED = 'TelemetryCircuitNotClosed';
  await waitFor(async () => (await firing()).filter((alert) => alert === NOT_CLOSED).length === 2, {
    what: `${NOT_CLOSED} to fire for both circuits`,
    timeoutMillis: 20_000,
    intervalMillis: 100,
  });

  await receiver.mode('healthy');
  await waitFor(async () => !(await firing()).includes(ALERT), {
    what: `${ALERT} to resolve`,
    timeoutMillis: 40_000,
    intervalMillis: 100,
  });
  expect(await notified('resolved')).toMatchObject({ receiver: 'on-call' });
  // Whatever was sent about it was about one and the same incident, and the page has held back the ticket.
  const pages = pager.heard.filter(({ receiver: to }) => to === 'on-call');
  expect(new Set(pages.map(({ groupKey }) => groupKey)).size).toBe(1);
  expect(pager.heard.map(({ groupLabels }) => groupLabels['alertname'])).not.toContain(NOT_CLOSED);
  expect(await service.health()).toMatchObject({ status: 'healthy' });
});
