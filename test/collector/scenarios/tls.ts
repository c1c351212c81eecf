/** Scenario 7: TLS with a wrong authority; plain HTTP sent to a TLS port. */
import fs from 'node:fs';
import { makeCertificates } from '../certificates.ts';
import type { LaneReport, Protocol } from '../client/messages.ts';
import type { ClientProcess } from '../client-process.ts';
import { plain, tlsOnly } from '../configs.ts';
import { all, eachLane, outage, settle } from '../outage.ts';
import { anonymousSpan, describeAnswer, rawPost } from '../raw-post.ts';
import { describeFailure, makeRow, operatorSees } from '../rows.ts';
import type { Row, Scenario } from '../scenario.ts';
import { urlOf, variants } from '../scenario.ts';

export const wrongAuthority: Scenario = {
  id: '7a',
  title: 'TLS with a wrong certificate authority',
  about:
    "The clients trust another authority (`OTEL_EXPORTER_OTLP_CERTIFICATE`) than the one that signed the Collector's certificate; the fault ends with a restart of the Collector with a certificate that they trust.",
  async run(here) {
    const certificates = makeCertificates(here.folder);
    const other = `${here.folder}/trusted`;
    fs.mkdirSync(other);
    const trusted = makeCertificates(other);
    const collector = await here.collector(tlsOnly(certificates));
    const clients = await all(variants('2.12', 'protobuf', 'grpc'), (variant) =>
      here.client({
        ...variant,
        url: urlOf(collector, variant.protocol).replace('http:', 'https:'),
        lanes: ['none', 'retention'],
        env: { OTEL_EXPORTER_OTLP_CERTIFICATE: trusted.caFile },
      }),
    );
    return await outage({
      scenario: '7a',
      clients,
      spans: () => collector.spans(),
      healthyFirst: false,
      hurt() {},
      during(reports) {
        for (const { lanes } of reports) {
          const snapshot = lanes[0]?.snapshot;
          here.saw(`${snapshot?.name}: ${describeFailure(snapshot?.lastFailure ?? null)}`);
        }
      },
      heal: () => collector.restart(tlsOnly(trusted)),
    });
  },
};

export const plainToTls: Scenario = {
  id: '7b',
  title: 'plain HTTP sent to a TLS port',
  about:
    'The Collector (its Go server) answers the first bytes with 400, "Client sent an HTTP request to an HTTPS server", and closes with the rest of the request unread. A request by hand reads that 400. The OTLP/HTTP exporters mostly meet the reset instead, it seems because they write the body apart from the headers: ECONNRESET or EPIPE, a failure, so the circuit opens; with small gzipped bodies the 400 gets through now and then (21 of 90 exports, counted once; 0 of 120 with JSON), and a 400 is taken for a bad payload: the batch counts as invalid, is not kept, and sets the failures in a row back to 0, so the circuit may stay CLOSED with health degraded. Either way nothing is delivered, `last_success_at` stays null, and the code (400, ECONNRESET, EPIPE) is in health: look at the URL. Over gRPC there is no connection: UNAVAILABLE, the circuit opens. The fault ends with a restart of the Collector without TLS.',
  async run(here) {
    const collector = await here.collector(tlsOnly(makeCertificates(here.folder)));
    const start = (protocol: Protocol, env: NodeJS.ProcessEnv = {}): Promise<ClientProcess> =>
      here.client({
        sdk: '2.12',
        protocol,
        url: urlOf(collector, protocol),
        lanes: ['none', 'retention'],
        env,
      });
    const clients = await Promise.all([
      start('protobuf'),
      start('protobuf', { OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip' }),
      start('grpc'),
    ]);
    const labels = ['protobuf', 'protobuf gzip', 'grpc'];
    const beganAt = Date.now();
    await all(clients, (client) => client.tell({ command: 'traffic' }));
    await eachLane(clients, 'refusals', 240_000, ({ snapshot: { exports } }) => {
      return exports.invalid + exports.failure >= 3;
    });
    const seen = await all(clients, (client) => client.tell({ command: 'report' }));
    for (const [index, { lanes }] of seen.entries()) {
      const { exports, lastFailure, lastInvalid } = (lanes[0] as LaneReport).snapshot;
      const causes = [lastFailure, lastInvalid].filter((failure) => failure !== null).map(describeFailure);
      here.saw(
        `${labels[index]}: ${exports.failure} failures, ${exports.invalid} invalid; ${causes.join(' and ')}`,
      );
    }
    here.saw(`a request by hand: ${describeAnswer(await rawPost(collector.httpUrl, anonymousSpan()))}`);

    await collector.restart(plain);
    const endedAt = Date.now();
    await eachLane(
      clients,
      'the circuits to close and to send what they kept',
      240_000,
      ({ snapshot, health }) => {
        const flows = snapshot.delivery.delivered.items > 0 && snapshot.delivery.kept.items === 0;
        return snapshot.state === 'CLOSED' && health.body.status === 'healthy' && flows;
      },
    );
    const last = await settle(clients);
    const arrived = collector.spans();
    return clients.flatMap((client, index) =>
      (last[index]?.lanes ?? []).map((lane, at): Row => {
        const whileWrong = seen[index]?.lanes[at] as LaneReport;
        const fault = { beganAt, endedAt };
        const row = makeRow({ scenario: '7b', client, lane, arrived, sees: operatorSees(whileWrong), fault });
        const problems = [...row.problems, ...misaddressed(client.protocol, lane, whileWrong, row.lost)];
        return { ...row, protocol: labels[index] as string, problems };
      }),
    );
  },
};

function misaddressed(protocol: Protocol, last: LaneReport, seen: LaneReport, lost: number): string[] {
  const problems: string[] = [];
  const { status } = seen.health.body;
  const { exports, lastSuccessAt } = seen.snapshot;
  if (status === 'healthy' && seen.snapshot.consecutiveFailures === 0) problems.push('nothing to be seen');
  if (lastSuccessAt !== null) problems.push('something was delivered');
  if (protocol === 'grpc' && (exports.invalid > 0 || status !== 'unhealthy'))
    problems.push(`health said ${status}`);
  if (last.lane === 'retention' && lost !== last.snapshot.items.invalid)
    problems.push(`${lost} lost with retention, ${last.snapshot.items.invalid} were refused as invalid`);
  if (last.health.body.status !== 'healthy') problems.push(`ended ${last.health.body.status}`);
  return problems;
}
