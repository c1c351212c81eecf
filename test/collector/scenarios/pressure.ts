/** Scenario 4: the Collector says no by itself. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import { waitFor } from '../../support/wait-for.ts';
import type { ClientProcess } from '../client-process.ts';
import type { CollectorProcess } from '../collector-process.ts';
import { fullQueue, memoryLimited, plain, relay } from '../configs.ts';
import { freePorts } from '../free-ports.ts';
import { all, outage } from '../outage.ts';
import { anonymousSpan, describeAnswer, rawPost } from '../raw-post.ts';
import { refusingUpstream } from '../refusing-upstream.ts';
import { describeFailure } from '../rows.ts';
import type { Scenario, Surroundings } from '../scenario.ts';
import { urlOf, variants } from '../scenario.ts';

const BALLAST_BYTES = 2_000_000;
const BALLAST_POSTS_AT_MOST = 400;
/** Each of them with 2 MB more in the queue. */
const REFUSALS_IN_A_ROW = 20;
const RETRY_SECONDS = 7;

async function startClients(here: Surroundings, collector: CollectorProcess): Promise<ClientProcess[]> {
  return await all(variants('2.12', 'protobuf', 'grpc'), (variant) =>
    here.client({
      ...variant,
      url: urlOf(collector, variant.protocol),
      lanes: ['none', 'retention'],
    }),
  );
}

/** What the Collector says to a request by hand while it refuses, and what the gRPC exporter's error says. */
async function sawRefusal(
  here: Surroundings,
  collector: CollectorProcess,
  clients: readonly ClientProcess[],
): Promise<void> {
  here.saw(`a request by hand: ${describeAnswer(await rawPost(collector.httpUrl, anonymousSpan()))}`);
  for (const client of clients) {
    const [lane] = await client.lanes();
    const failure = lane?.snapshot.lastFailure ?? null;
    here.saw(`${client.protocol} exporter's error: ${describeFailure(failure)}`);
  }
}

export const memoryLimiter: Scenario = {
  id: '4a',
  title: 'memory_limiter refuses',
  about:
    'A second receiver takes ballast into a queue in front of a dead upstream until `memory_limiter` refuses at the first one; it goes when the upstream answers.',
  async run(here) {
    const [upstreamPort] = (await freePorts(1)) as [number];
    const collector = await here.collector(memoryLimited(upstreamPort));
    const clients = await startClients(here, collector);
    const upstream = createServer((request, response) => {
      request.resume().on('end', () => response.end());
    });
    here.keep({
      async [Symbol.asyncDispose]() {
        upstream.closeAllConnections();
        upstream.close();
      },
    });
    return await outage({
      scenario: '4a',
      clients,
      spans: () => collector.spans(),
      async hurt() {
        const ballast = anonymousSpan(BALLAST_BYTES);
        const place = `http://127.0.0.1:${collector.sparePort}/v1/traces`;
        // One refusal may be the garbage of the last requests: the next collection would end it.
        let refusals = 0;
        let refusedAt: number | undefined;
        for (let posts = 0; posts < BALLAST_POSTS_AT_MOST && refusals < REFUSALS_IN_A_ROW; posts += 1) {
          await rawPost(place, ballast);
          const { status } = await rawPost(collector.httpUrl, anonymousSpan());
          refusals = status === 200 ? 0 : refusals + 1;
          if (refusals <= 1) refusedAt = Date.now();
        }
        if (refusals === REFUSALS_IN_A_ROW) return refusedAt;
        throw new Error(`memory_limiter took ${BALLAST_POSTS_AT_MOST} posts`);
      },
      during: () => sawRefusal(here, collector, clients),
      async heal() {
        upstream.listen(upstreamPort, '127.0.0.1');
        await once(upstream, 'listening');
        await waitFor(async () => (await rawPost(collector.httpUrl, anonymousSpan())).status === 200, {
          what: 'memory_limiter to let go',
          timeoutMillis: 60_000,
          intervalMillis: 100,
        });
      },
    });
  },
};

export const queueFull: Scenario = {
  id: '4b',
  title: 'sending queue full',
  about:
    'A queue of 30 requests in front of a dead upstream, itself a Collector. What the queue took before it was full is acknowledged, and arrives when the upstream is back.',
  async run(here) {
    const upstream = await here.collector(plain);
    const collector = await here.collector(fullQueue(upstream.grpcPort));
    const clients = await startClients(here, collector);
    return await outage({
      scenario: '4b',
      clients,
      spans: () => upstream.spans(),
      hurt: () => upstream.kill(),
      during: () => sawRefusal(here, collector, clients),
      heal: () => upstream.start(),
    });
  },
};

export const upstreamHint: Scenario = {
  id: '4c',
  title: "an upstream's retry hint passed on",
  about: `No queue and no retry in the Collector: its upstream's RESOURCE_EXHAUSTED with RetryInfo of ${RETRY_SECONDS} s is the answer. The circuit needs no hint: it opens after three of them, and probes by its own policy.`,
  async run(here) {
    const upstream = await here.collector(plain);
    const collector = await here.collector(relay(upstream.grpcPort));
    const clients = await startClients(here, collector);
    let refusing: AsyncDisposable | undefined;
    return await outage({
      scenario: '4c',
      clients,
      spans: () => upstream.spans(),
      async hurt() {
        await upstream.kill();
        refusing = here.keep(await refusingUpstream(upstream.grpcPort, RETRY_SECONDS));
        await waitFor(
          async () => {
            const { body } = await rawPost(collector.httpUrl, anonymousSpan());
            return body.includes('try later');
          },
          { what: "the upstream's refusal to be passed on", timeoutMillis: 30_000, intervalMillis: 100 },
        );
      },
      during: () => sawRefusal(here, collector, clients),
      async heal() {
        await refusing?.[Symbol.asyncDispose]();
        await upstream.start();
      },
    });
  },
};
