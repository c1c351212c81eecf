import type { ExportResultLike } from '../../../src/index.ts';
import type { CreateExporter, ExporterUnderTest } from '../../../src/testing/circuit-commands.ts';
import { createTiny } from './tiny-exporter.ts';

type Callback = (result: ExportResultLike) => void;
type Bend = (exporter: ExporterUnderTest, inner: Parameters<CreateExporter>[0]) => ExporterUnderTest;

const bent =
  (bend: Bend): CreateExporter =>
  (inner, options) =>
    bend(createTiny()(inner, options), inner);

/** An exporter that is right, but for what it tells its callers. */
const telling = (tell: (callback: Callback, result: ExportResultLike) => void): CreateExporter =>
  bent((exporter) => ({
    breaker: exporter.breaker,
    snapshot: () => exporter.snapshot(),
    export: (batch, callback) => exporter.export(batch, (result) => tell(callback, result)),
  }));

/** An exporter that is right, but for its snapshots. */
const showing = (show: (snapshot: object) => object): CreateExporter =>
  bent((exporter) => {
    const { breaker } = exporter;
    const bentBreaker = {
      get state() {
        return breaker.state;
      },
      tryAcquire: (items?: number) => breaker.tryAcquire(items),
      forceOpen: () => breaker.forceOpen(),
      forceClosed: () => breaker.forceClosed(),
      reset: () => breaker.reset(),
      onTransition: (listener: Parameters<typeof breaker.onTransition>[0]) => breaker.onTransition(listener),
      snapshot: () => show(breaker.snapshot()),
    };
    return {
      breaker: bentBreaker,
      snapshot: () => exporter.snapshot(),
      export: (batch, callback) => exporter.export(batch, callback),
    };
  });

const isRejection = (result: ExportResultLike) =>
  (result.error as { code?: unknown } | undefined)?.code === 'ERR_CIRCUIT_OPEN';

/** A rejection that holds the message of the last failure. */
function indiscreet(result: ExportResultLike): ExportResultLike {
  if (!isRejection(result) || result.error === undefined) return result;
  const error = Object.assign(new Error('open: ECONNREFUSED https://user:secret@collector'), {
    ...result.error,
    name: 'CircuitOpenError',
  });
  return Object.freeze({ code: 1, error });
}

const kept = new WeakMap<object, object>();

/** Small sins, each with what the model must say of it. */
export const BENT: readonly (readonly [sin: string, create: CreateExporter, complaint: string])[] = [
  [
    'calls back twice',
    telling((callback, result) => {
      callback(result);
      callback(result);
    }),
    'was answered 2 times, by the contract exactly once',
  ],
  [
    'tells a rejected caller nothing',
    telling((callback, result) => callback((isRejection(result) ? undefined : result) as ExportResultLike)),
    'was told undefined, by the contract FAILED',
  ],
  [
    'draws two numbers at a time',
    (inner, options) =>
      createTiny()(inner, { ...options, random: () => Math.min(options.random(), options.random()) }),
    'numbers drawn from random: 2, by the contract',
  ],
  [
    'reports everything twice',
    (inner, options) => {
      const onError = (message: string, error: unknown) => {
        options.onError(message, error);
        options.onError(message, error);
      };
      return createTiny()(inner, { ...options, onError });
    },
    'reports to onError: 2, by the contract',
  ],
  ['never calls back', telling(() => {}), 'was answered 0 times, by the contract exactly once'],
  [
    'copies results',
    telling((callback, result) => callback({ ...result })),
    "the inner exporter's own object",
  ],
  [
    'has a rejection for everybody',
    telling((callback, result) => callback(isRejection(result) ? Object.freeze({ ...result }) : result)),
    'got a rejection of its own',
  ],
  [
    'lets callers write into the shared rejection',
    telling((callback, result) => {
      if (isRejection(result) && !kept.has(result)) kept.set(result, { ...result });
      callback((kept.get(result) ?? result) as ExportResultLike);
    }),
    'got a rejection that is not frozen',
  ],
  [
    'tells secrets',
    telling((callback, result) => callback(indiscreet(result))),
    "was told another error's message",
  ],
  [
    'fails without an Error',
    telling((callback, result) => callback(isRejection(result) ? Object.freeze({ code: 1 }) : result)),
    'was told FAILED without an Error',
  ],
  [
    'calls a rejection a success',
    telling((callback, result) => callback(isRejection(result) ? Object.freeze({ code: 0 }) : result)),
    'by the contract FAILED',
  ],
  [
    'throws',
    bent(({ breaker, snapshot }) => ({
      breaker,
      snapshot,
      export() {
        throw new Error('not today');
      },
    })),
    'export() threw Error: not today',
  ],
  [
    'throws nothing at all',
    bent(({ breaker, snapshot }) => ({
      breaker,
      snapshot,
      export() {
        throw undefined;
      },
    })),
    'export() threw Error: threw undefined',
  ],
  [
    'exports a copy of the batch',
    bent((exporter) => ({
      breaker: exporter.breaker,
      snapshot: () => exporter.snapshot(),
      export: (batch, callback) => exporter.export([...batch], callback),
    })),
    'calls of the inner exporter with this batch: 0, by the contract 1',
  ],
  [
    'shows what nobody knows',
    showing((snapshot) => ({ ...snapshot, mood: 'sunny' })),
    'snapshot.mood is there, but not in the contract',
  ],
  [
    'forgets a part of its snapshot',
    showing((snapshot) => ({ ...snapshot, exportDurations: { bounds: [], counts: [0], sum: 0, count: 0 } })),
    'snapshot.exportDurations.bounds: []',
  ],
  [
    'has one snapshot for all',
    bent((exporter) => {
      const shared = {};
      const snapshot = exporter.breaker.snapshot.bind(exporter.breaker);
      exporter.breaker.snapshot = () => Object.assign(shared, snapshot());
      return exporter;
    }),
    'snapshot() gave the same object twice',
  ],
];
