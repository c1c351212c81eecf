import { ExportResultCode } from '@opentelemetry/core';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { JsonTraceSerializer } from '@opentelemetry/otlp-transformer';
import { describe, expect, it, vi } from 'vitest';
import { FAILED, SUCCESS } from '../../src/delivery/exporter-contract.ts';
import { classifyResult } from '../../src/index.ts';
import { deadPort } from '../support/dead-port.ts';
import { numberedSpans } from '../support/numbered-spans.ts';
import { exported, IMPATIENT, PATIENT, protocols, send } from '../support/otlp-exporters.ts';
import type { ReceiverMode } from '../support/receiver/mode.ts';
import { startReceiver } from '../support/receiver-process.ts';
import { waitFor } from '../support/wait-for.ts';

describe('the result codes of the SDK', () => {
  it('are those that the library takes them for', () => {
    expect(ExportResultCode.SUCCESS).toBe(SUCCESS);
    expect(ExportResultCode.FAILED).toBe(FAILED);
    expect([SUCCESS, FAILED]).toEqual([0, 1]);
  });
});

const OVER_HTTP: [ReceiverMode, string][] = [
  ['healthy', 'success'],
  ['status:400', 'invalid'],
  ['status:413', 'invalid'],
  ['status:422', 'invalid'],
  ['status:401', 'failure'],
  ['status:403', 'failure'],
  ['status:404', 'failure'],
  ['status:429', 'failure'],
  ['status:500', 'failure'],
  ['status:503', 'failure'],
  ['hang', 'failure'],
  ['reset', 'failure'],
];
const OVER_GRPC: [ReceiverMode, string][] = [
  ['healthy', 'success'],
  ['status:3', 'invalid'],
  ['status:4', 'failure'],
  ['status:8', 'failure'],
  ['status:13', 'failure'],
  ['status:14', 'failure'],
  ['status:16', 'failure'],
  ['hang', 'failure'],
  ['reset', 'failure'],
];

describe.for(protocols)(
  'classifyResult reads what the exporter of $name answers',
  { concurrent: true },
  (protocol) => {
    it('about a backend that answers, refuses or hangs', async () => {
      await using receiver = await startReceiver({ protocol: protocol.server });
      const expected = protocol.server === 'http' ? OVER_HTTP : OVER_GRPC;
      const read: [ReceiverMode, string][] = [];

      for (const [mode] of expected) {
        await receiver.mode(mode);
        const timeoutMillis = mode === 'healthy' ? undefined : IMPATIENT;
        const result = await send(protocol, receiver, numberedSpans(1, 1), timeoutMillis);
        read.push([mode, classifyResult(result)]);
      }

      expect(read).toEqual(expected);
    });

    it('about a port on which nobody listens', async () => {
      await using dead = await deadPort();
      const endpoint = () => (protocol.server === 'http' ? `${dead.url}/v1/traces` : dead.url);

      // Over gRPC it fails at once, over HTTP when there is no time left for a retry.
      const timeoutMillis = protocol.server === 'http' ? IMPATIENT : PATIENT;
      const result = await send(protocol, { endpoint }, numberedSpans(1, 1), timeoutMillis);

      expect(result.error?.code).toBe(protocol.server === 'http' ? 'ECONNREFUSED' : 14);
      expect(classifyResult(result)).toBe('failure');
    });
  },
);

describe('classifyResult ignores what the OTLP exporters answer before anything is sent', () => {
  it('at their limit of concurrent exports', async () => {
    await using receiver = await startReceiver({ protocol: 'http', mode: 'hold' });
    const exporter = new OTLPTraceExporter({ url: receiver.endpoint('traces'), concurrencyLimit: 1 });
    const first = exported(exporter, numberedSpans(1, 1));
    await waitFor(async () => (await receiver.stats()).held === 1, { what: 'the held request' });

    const second = await exported(exporter, numberedSpans(2, 1));

    expect(second).toMatchObject({ code: 1, error: { message: 'Concurrent export limit reached' } });
    expect(classifyResult(second)).toBe('ignored');
    await receiver.release();
    expect(await first).toMatchObject({ code: 0 });
    await exporter.shutdown();
  });

  it('when their serializer gives them nothing', async () => {
    const serialize = vi.spyOn(JsonTraceSerializer, 'serializeRequest').mockReturnValue(undefined);
    try {
      const exporter = new OTLPTraceExporter({ url: 'http://127.0.0.1:1/v1/traces' });

      const result = await exported(exporter, numberedSpans(1, 1));

      expect(result).toMatchObject({ code: 1, error: { message: 'Nothing to send' } });
      expect(classifyResult(result)).toBe('ignored');
      await exporter.shutdown();
    } finally {
      serialize.mockRestore();
    }
  });
});
