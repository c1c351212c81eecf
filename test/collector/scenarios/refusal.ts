/** Scenarios 5 and 6: the Collector refuses who asks, or what is sent. */

import type { FailureHealth } from '../../../src/adapters/health.ts';
import { waitFor } from '../../support/wait-for.ts';
import type { ClientReport, LaneReport } from '../client/messages.ts';
import { bearerToken, sizeLimited } from '../configs.ts';
import { all, arrival, eachLane, outage, settle } from '../outage.ts';
import { anonymousSpan, describeAnswer, rawPost } from '../raw-post.ts';
import { describeFailure, makeRow, operatorSees } from '../rows.ts';
import type { Scenario } from '../scenario.ts';
import { urlOf, variants } from '../scenario.ts';

/** What the clients send; nobody but them and the Collector of the last act should know it. */
const TOKEN = 'wrong-7f3a91c05e';

export const authentication: Scenario = {
  id: '5',
  title: 'authentication refused',
  about:
    'The clients send a token that the Collector (`bearertokenauth`) does not take; the fault ends with its restart with their token. Health says the code, 401 or 16, and neither health (also with `includeErrorMessages`), nor metrics, nor a log line contains the token.',
  async run(here) {
    const collector = await here.collector(bearerToken('another-token'));
    const clients = await all(variants('2.12', 'protobuf', 'grpc'), (variant) =>
      here.client({
        ...variant,
        url: urlOf(collector, variant.protocol),
        lanes: ['none', 'retention'],
        env: { OTEL_EXPORTER_OTLP_HEADERS: `Authorization=Bearer%20${TOKEN}` },
      }),
    );
    const logs: string[] = [];
    return await outage({
      scenario: '5',
      clients,
      spans: () => collector.spans(),
      healthyFirst: false,
      hurt() {},
      async during(reports) {
        logs.push(...reports.flatMap((report) => report.logs));
        here.saw(`a request by hand: ${describeAnswer(await rawPost(collector.httpUrl, anonymousSpan()))}`);
        for (const { lanes } of reports)
          here.saw(`health while open: \`${JSON.stringify(lastFailureOf(lanes[0]))}\``);
        here.saw(`log: \`${logs.find((line) => line.includes('opened after'))}\``);
      },
      heal: () => collector.restart(bearerToken(TOKEN)),
      check(last, open) {
        const problems: string[] = [];
        const code = lastFailureOf(open)?.code;
        const wanted = open.snapshot.name.startsWith('grpc') ? 16 : 401;
        if (code !== wanted) problems.push(`health says code ${code}, not ${wanted}`);
        if (JSON.stringify([last, open, logs]).includes(TOKEN)) problems.push('the token can be seen');
        return problems;
      },
    });
  },
};

function lastFailureOf(lane: LaneReport | undefined): FailureHealth | null {
  const circuit = lane?.health.body.circuit_breaker;
  return circuit !== undefined && 'last_failure' in circuit ? circuit.last_failure : null;
}

// More than a batch of 512 spans has.
const HTTP_LIMIT_BYTES = 400_000;
const GRPC_LIMIT_MEBIBYTES = 1;
/** Over the limit, and not so far that the Collector resets the connection before its answer is read. */
const TOO_LARGE_BYTES = { json: 600_000, protobuf: 600_000, grpc: 1_500_000 };
/** More than the failures in a row that open a circuit. */
const TOO_LARGE_BATCHES = 4;
const GOOD_SPANS = 20;

export const tooLarge: Scenario = {
  id: '6',
  title: 'payload too large',
  about: `Good spans, then ${TOO_LARGE_BATCHES} batches of one span over the limit, then good spans again. Over HTTP the Collector (0.165.0) answers 400, not 413: counted as invalid, the circuit stays CLOSED, health is degraded until the next good batch, and only the large spans are lost, with retention too: sending them again is no help. Over gRPC it answers RESOURCE_EXHAUSTED (8), the code that an overloaded backend gives as well; \`classifyResult\` knows it by its message ("received message larger than max") and takes it for the same.`,
  async run(here) {
    const collector = await here.collector(sizeLimited(HTTP_LIMIT_BYTES, GRPC_LIMIT_MEBIBYTES));
    const clients = await all(variants('2.12', 'json', 'protobuf', 'grpc'), (variant) =>
      here.client({
        ...variant,
        url: urlOf(collector, variant.protocol),
        lanes: ['none', 'retention'],
      }),
    );
    await all(clients, (client) => client.tell({ command: 'make', count: GOOD_SPANS }));
    await eachLane(
      clients,
      'the good spans to be delivered',
      240_000,
      (lane) => lane.snapshot.delivery.delivered.items === GOOD_SPANS,
    );

    const hurtAt = Date.now();
    const seen = await all(clients, async (client) => {
      let report: ClientReport | undefined;
      for (let batch = 1; batch <= TOO_LARGE_BATCHES; batch += 1) {
        await client.tell({ command: 'make', count: 1, padding: TOO_LARGE_BYTES[client.protocol] });
        report = await client.tell({ command: 'flush' });
      }
      return report as ClientReport;
    });
    for (const [index, { lanes }] of seen.entries()) {
      const { lastFailure, lastInvalid } = (lanes[0] as LaneReport).snapshot;
      here.saw(
        `${clients[index]?.protocol} exporter's error: ${describeFailure(lastInvalid ?? lastFailure)}`,
      );
    }

    const healedAt = Date.now();
    await all(clients, (client) => client.tell({ command: 'traffic' }));
    await eachLane(
      clients,
      'the circuits to be closed, good spans to flow and retention to be empty',
      240_000,
      ({ snapshot, health }) => {
        const flows = snapshot.delivery.delivered.items > 2 * GOOD_SPANS;
        return health.body.status === 'healthy' && flows && snapshot.delivery.kept.items === 0;
      },
    );
    const last = await settle(clients);
    await waitFor(() => collector.running, { what: 'the Collector to have lived through it' });
    await arrival(() => collector.spans(), []);
    const arrived = collector.spans();
    return clients.flatMap((client, index) =>
      (last[index]?.lanes ?? []).map((lane, at) => {
        const whileLarge = seen[index]?.lanes[at] as LaneReport;
        const row = makeRow({
          scenario: '6',
          client,
          lane,
          arrived,
          sees: operatorSees(whileLarge),
          fault: { beganAt: hurtAt, endedAt: healedAt },
        });
        return {
          ...row,
          problems: [...row.problems, ...sizeProblems(lane, whileLarge, row.lost)],
        };
      }),
    );
  },
};

function sizeProblems(last: LaneReport, seen: LaneReport, lost: number): string[] {
  const problems: string[] = [];
  const { exports } = last.snapshot;
  if (exports.invalid !== TOO_LARGE_BATCHES) problems.push(`${exports.invalid} counted as invalid`);
  if (last.transitions.length > 0) problems.push('the circuit left CLOSED');
  if (seen.health.body.status !== 'degraded' || seen.health.httpStatus !== 200)
    problems.push(`health said ${seen.health.httpStatus} ${seen.health.body.status}`);
  if (lost !== TOO_LARGE_BATCHES) problems.push(`${lost} lost`);
  return problems;
}
