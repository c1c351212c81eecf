/** One batch of each signal, made by hand: every SDK line's exporters take them. */
import { ROOT_CONTEXT } from '@opentelemetry/api';

const resource = {
  attributes: { 'service.name': 'exporters' },
  asyncAttributesPending: false,
  getRawAttributes: () => [['service.name', 'exporters']],
  merge: () => resource,
};
const scope = { name: 'exporters', version: '1.0.0' };

let made = 0;

/** @returns a hexadecimal id of this length */
const id = (length) => (++made).toString(16).padStart(length, '1');
const now = () => [Math.floor(Date.now() / 1_000), 0];

function spans() {
  const context = { traceId: id(32), spanId: id(16), traceFlags: 1 };
  return [
    {
      name: 'request',
      kind: 1,
      spanContext: () => context,
      startTime: now(),
      endTime: now(),
      duration: [0, 1_000_000],
      status: { code: 0 },
      // Products for AI leave all others out.
      attributes: { 'gen_ai.system': 'exporters' },
      links: [],
      events: [],
      ended: true,
      resource,
      instrumentationScope: scope,
      // As SDK 1 has it.
      instrumentationLibrary: scope,
      droppedAttributesCount: 0,
      droppedEventsCount: 0,
      droppedLinksCount: 0,
    },
  ];
}

function logs() {
  return [
    {
      hrTime: now(),
      hrTimeObserved: now(),
      severityNumber: 9,
      severityText: 'INFO',
      body: 'request',
      attributes: { route: '/' },
      droppedAttributesCount: 0,
      context: ROOT_CONTEXT,
      resource,
      instrumentationScope: scope,
    },
  ];
}

function metrics() {
  return {
    resource,
    scopeMetrics: [
      {
        scope,
        metrics: [
          {
            descriptor: {
              name: 'requests',
              description: '',
              unit: '1',
              type: 'COUNTER',
              valueType: 0,
              advice: {},
            },
            aggregationTemporality: 1,
            // DataPointType.SUM
            dataPointType: 3,
            isMonotonic: true,
            dataPoints: [{ startTime: now(), endTime: now(), attributes: { route: '/' }, value: 1 }],
          },
        ],
      },
    ],
  };
}

/** A new batch of a signal. */
export const batchOf = { traces: spans, logs, metrics };
