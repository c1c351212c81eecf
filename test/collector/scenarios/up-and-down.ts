/** Scenarios 1 to 3: the Collector is up; is killed and started again; hangs. */

import type { LaneName } from '../client/messages.ts';
import type { ClientProcess } from '../client-process.ts';
import type { CollectorProcess } from '../collector-process.ts';
import { plain } from '../configs.ts';
import { all, arrival, outage, settle } from '../outage.ts';
import { makeRow, operatorSees } from '../rows.ts';
import type { Scenario, Surroundings } from '../scenario.ts';
import { urlOf, variants } from '../scenario.ts';

const both = [
  ...variants('2.12', 'json', 'protobuf', 'grpc'),
  ...variants('3.1', 'json', 'protobuf', 'grpc'),
];

async function startClients(
  here: Surroundings,
  collector: CollectorProcess,
  which: ReturnType<typeof variants>,
  lanes: readonly LaneName[],
): Promise<ClientProcess[]> {
  return await all(which, (variant) =>
    here.client({ ...variant, url: urlOf(collector, variant.protocol), lanes }),
  );
}

export const up: Scenario = {
  id: '1',
  title: 'Collector up',
  about: '500 spans through a BatchSpanProcessor. Each arrives once, and the circuit never leaves CLOSED.',
  async run(here) {
    const collector = await here.collector(plain);
    const clients = await startClients(here, collector, both, ['none']);
    await all(clients, (client) => client.tell({ command: 'make', count: 500 }));
    const last = await settle(clients);
    await arrival(
      () => collector.spans(),
      last.flatMap(({ lanes }) => lanes),
    );
    const arrived = collector.spans();
    return clients.flatMap((client, index) =>
      (last[index]?.lanes ?? []).map((lane) => {
        const row = makeRow({ scenario: '1', client, lane, arrived, sees: operatorSees(lane) });
        const problems = [...row.problems];
        if (row.lost + row.duplicated > 0) problems.push('not each span arrived once');
        if (lane.transitions.length > 0) problems.push('the circuit left CLOSED');
        if (lane.health.body.status !== 'healthy') problems.push(lane.health.body.status);
        return { ...row, problems };
      }),
    );
  },
};

export const killed: Scenario = {
  id: '2',
  title: 'SIGKILL, then started again',
  about:
    'Spans flow all the time. The circuit opens, probes fail, and the first probe after the start closes it. Without retention, what was made meanwhile is lost: the exporter knows how much of it was given to it, and the processor dropped the rest while it waited; with retention nothing is. A span that is there twice was in a request whose answer the SIGKILL took.',
  async run(here) {
    const collector = await here.collector(plain);
    const clients = await startClients(here, collector, both, ['none', 'retention']);
    return await outage({
      scenario: '2',
      clients,
      spans: () => collector.spans(),
      hurt: () => collector.kill(),
      heal: () => collector.start(),
    });
  },
};

export const hanging: Scenario = {
  id: '3',
  title: 'SIGSTOP, SIGCONT',
  about:
    'The kernel still accepts connections and bytes, nobody answers: each export takes its whole time-out, and with retention three are handed over. Over HTTP, what was given up is still in the socket, and the Collector takes it when it goes on: spans that were sent again arrive twice, and fewer are lost than the exporter says. Over gRPC the time-out cancels the call, and few or none do.',
  async run(here) {
    const collector = await here.collector(plain);
    const which = variants('2.12', 'json', 'protobuf', 'grpc');
    const clients = await startClients(here, collector, which, ['none', 'retention']);
    return await outage({
      scenario: '3',
      clients,
      spans: () => collector.spans(),
      hurt: () => collector.stop(),
      heal: () => collector.cont(),
    });
  },
};
