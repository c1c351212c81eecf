import { describe, expect, it } from 'vitest';
import { decodeBatch, encodeBatch } from '../../../../src/disk/codec/batch-codec.ts';
import { otlpJsonOf } from '../../../../src/disk/tool/otlp-json.ts';
import { otlpOf, sdkLines } from '../codec/sdk-line.ts';
import { logRecordsOf, metricsOf, spansOf } from '../codec/sdk-telemetry.ts';
import { batchOf } from '../rig.ts';

const [line] = sdkLines;
if (line === undefined) throw new Error('no SDK');

async function exported(batch: unknown): Promise<unknown> {
  const { payload } = await encodeBatch(batch);
  return JSON.parse(JSON.stringify(otlpJsonOf(await decodeBatch(payload))));
}

/** The SDK writes `null` for what JSON has no number for; the JSON form of protobuf has text. */
function withoutSpecialNumbers(json: unknown): unknown {
  return JSON.parse(JSON.stringify(json), (_, value) => (/^(NaN|-?Infinity)$/.test(value) ? null : value));
}

describe('OTLP in JSON', () => {
  it.each([
    ['spans', async () => spansOf(line)],
    ['logs', async () => logRecordsOf(line)],
    ['metrics', () => metricsOf(line, 'DELTA')],
    ['metrics', () => metricsOf(line, 'CUMULATIVE')],
  ] as const)('of %s is what the exporters of the SDK send', async (signal, make) => {
    const batch = await make();
    const ofSdk = JSON.parse(otlpOf(line, signal, batch).json, (_, value) =>
      value === 'NaN' ? null : value,
    );
    expect(withoutSpecialNumbers(await exported(batch))).toEqual(ofSdk);
  });

  it('has text for numbers that JSON has not, and doubles for integers that int64 has not', async () => {
    const [record] = batchOf(1) as [object];
    const attributes = { a: Number.NaN, b: Number.NEGATIVE_INFINITY, c: 2 ** 63, d: -(2 ** 63), e: 10n };
    const request = await exported([{ ...record, attributes }]);
    expect(request).toMatchObject({
      resourceLogs: [
        {
          scopeLogs: [
            {
              logRecords: [
                {
                  attributes: [
                    { key: 'a', value: { doubleValue: 'NaN' } },
                    { key: 'b', value: { doubleValue: '-Infinity' } },
                    { key: 'c', value: { doubleValue: 2 ** 63 } },
                    { key: 'd', value: { intValue: -(2 ** 63) } },
                    { key: 'e', value: {} },
                  ],
                },
              ],
            },
          ],
        },
      ],
    });
  });
});
