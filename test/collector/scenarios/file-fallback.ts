/** Scenario 9: what the file fallback wrote, read back into a Collector. */
import fs from 'node:fs';
import path from 'node:path';
import type { LaneReport } from '../client/messages.ts';
import { plain } from '../configs.ts';
import { all, arrival, eachLane, settle } from '../outage.ts';
import { rawPost } from '../raw-post.ts';
import { makeRow, operatorSees } from '../rows.ts';
import type { Row, Scenario } from '../scenario.ts';
import { urlOf, variants } from '../scenario.ts';
import { numbersOf } from '../span-numbers.ts';

export const fileFallback: Scenario = {
  id: '9',
  title: "the file fallback's output read back",
  about:
    "The Collector is killed, what cannot be delivered goes to a file, a line of OTLP JSON for each batch. Contrib's `otlpjsonfile` receiver would read it; its module cannot be had here (the Go module proxy answers 403 for every version), so each line of the file is POSTed as it is to `/v1/traces`, the same JSON decoder: each must be answered with 200, and each span arrive.",
  async run(here) {
    const collector = await here.collector(plain);
    const files = new Map<string, string>();
    const clients = await all(variants('2.12', 'protobuf', 'grpc'), (variant) => {
      const file = path.join(here.folder, `${variant.protocol}.jsonl`);
      files.set(variant.protocol, file);
      return here.client({
        ...variant,
        url: urlOf(collector, variant.protocol),
        lanes: ['file'],
        file,
      });
    });
    await all(clients, (client) => client.tell({ command: 'traffic' }));
    await eachLane(clients, 'spans to be delivered', 240_000, (lane) => {
      return lane.snapshot.delivery.delivered.items > 0;
    });
    await collector.kill();
    const beganAt = Date.now();
    await eachLane(clients, 'the circuits to open and spans to go to the file', 240_000, ({ snapshot }) => {
      return snapshot.state !== 'CLOSED' && snapshot.delivery.fallback.items > 20;
    });
    const seen = await all(clients, (client) => client.tell({ command: 'report' }));
    const last = await settle(clients);

    await collector.start();
    const endedAt = Date.now();
    const problems: string[] = [];
    for (const file of files.values()) problems.push(...(await sendLines(file, collector.httpUrl)));
    await arrival(
      () => collector.spans(),
      last.flatMap(({ lanes }) => lanes),
    );
    const arrived = collector.spans();
    return clients.flatMap((client, index) =>
      (last[index]?.lanes ?? []).map((lane, at): Row => {
        const sees = operatorSees(seen[index]?.lanes[at] as LaneReport);
        const row = makeRow({ scenario: '9', client, lane, arrived, sees, fault: { beganAt, endedAt } });
        const inFile = numbersOf(fs.readFileSync(files.get(client.protocol) as string, 'utf8')).length;
        const told = lane.snapshot.delivery.fallback.items;
        here.saw(`${client.protocol}: ${inFile} spans in the file`);
        const own = [...row.problems, ...problems];
        if (inFile !== told) own.push(`${inFile} spans in the file, the exporter says ${told}`);
        // Without retention, the processor drops what its queue has no room for: the exporter is never offered that.
        const offered = lane.snapshot.delivery.offered.items;
        if (row.arrived < offered) own.push(`${offered} were offered, ${row.arrived} arrived`);
        return { ...row, problems: own };
      }),
    );
  },
};

async function sendLines(file: string, url: string): Promise<string[]> {
  const problems: string[] = [];
  for (const line of fs.readFileSync(file, 'utf8').split('\n')) {
    if (line === '') continue;
    const { status, body } = await rawPost(url, line);
    if (status !== 200) problems.push(`a line was answered with ${status} ${body}`);
  }
  return problems;
}
