import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type {
  Classification,
  ExportFacts,
  ExportResultLike,
  ProbePolicy,
  TripPolicy,
} from '../../src/index.ts';
import {
  afterCooldown,
  allOf,
  anyOf,
  anyTrip,
  consecutiveFailures,
  defaultProbePolicy,
  everyNthAttempt,
  exponentialBackoff,
  failureRate,
  slowExportRate,
} from '../../src/index.ts';
import type { CircuitCommand } from '../../src/testing/circuit-command.ts';
import type { CircuitCommandsOptions } from '../../src/testing/circuit-commands.ts';
import { circuitCommands } from '../../src/testing/circuit-commands.ts';
import { compare } from '../../src/testing/circuit-comparison.ts';
import type { CircuitModel } from '../../src/testing/circuit-model.ts';
import type { CircuitSystem } from '../../src/testing/circuit-system.ts';
import { runs } from './runs.ts';

/** Throws, returns nonsense, rejects, and opens, in turns; it cannot even be reset. */
const brokenTripPolicy: TripPolicy = {
  createDetector() {
    let asked = 0;
    const answer = () => {
      asked += 1;
      switch (asked % 5) {
        case 1:
          throw new Error('the trip policy threw');
        case 2:
          return Promise.reject(new Error('the trip policy is async')) as never;
        case 3:
          return 'yes' as never;
        case 4:
          return undefined as never;
        default:
          return true;
      }
    };
    return {
      onSuccess: answer,
      onFailure: answer,
      isTooSlow: answer,
      reset() {
        throw new Error('the trip policy cannot be reset');
      },
    };
  },
};

const brokenProbePolicy: ProbePolicy = ({ attempt }) => {
  if (attempt % 3 === 0) throw new Error('the probe policy threw');
  if (attempt % 7 === 0) return Promise.reject(new Error('the probe policy is async')) as never;
  return (attempt % 2 === 0 ? 'no' : false) as boolean;
};

/** Opens at the second success in a row: a success opens the circuit if a policy says so. */
const tripOnSuccess: TripPolicy = {
  createDetector() {
    let successes = 0;
    return {
      onSuccess: () => ++successes >= 2,
      onFailure() {
        successes = 0;
        return false;
      },
      reset: () => {
        successes = 0;
      },
    };
  },
};

const brokenClassifier = ({ code, error }: ExportResultLike): Classification => {
  if (error !== undefined && 'code' in error) throw new Error('the classifier threw');
  return code === 0 ? 'success' : ('no idea' as Classification);
};

const bySizeAndDuration = ({ code }: ExportResultLike, { durationMillis, items }: ExportFacts) => {
  if (items === 600) return 'invalid';
  if (durationMillis > 2_000) return 'ignored';
  return code === 0 ? 'success' : 'failure';
};

const rates = { window: { exports: 8 }, minimumExports: 3 };

const cases: readonly (readonly [string, CircuitCommandsOptions])[] = [
  ['the defaults', {}],
  ['successThreshold 2', { successThreshold: 2, name: 'collector "2"' }],
  [
    'successThreshold 3 and eager probes',
    { successThreshold: 3, probePolicy: everyNthAttempt(2, { first: 1 }) },
  ],
  ['no export time-out', { exportTimeoutMillis: 0, probePolicy: defaultProbePolicy }],
  ['exports that time out after 1 ms', { exportTimeoutMillis: 1 }],
  ['exports that time out when the caller of a probe is answered', { exportTimeoutMillis: 1_000 }],
  ['rejections reported as success', { reportRejectedAs: 'success' }],
  ['consecutiveFailures(1)', { tripPolicy: consecutiveFailures(1), probePolicy: afterCooldown(2_000) }],
  ['failureRate of exports', { tripPolicy: failureRate(rates), probePolicy: everyNthAttempt(3) }],
  [
    'failureRate of a time',
    {
      tripPolicy: failureRate({ window: { millis: 20_000 }, minimumExports: 2, threshold: 0.7 }),
      probePolicy: exponentialBackoff({ initialMillis: 500, maxMillis: 5_000 }),
    },
  ],
  [
    'slowExportRate',
    {
      tripPolicy: anyTrip(slowExportRate({ ...rates, slowerThanMillis: 999 }), consecutiveFailures()),
      probePolicy: exponentialBackoff({ jitter: 'equal' }),
      successThreshold: 2,
    },
  ],
  [
    'anyTrip, anyOf, allOf',
    {
      tripPolicy: anyTrip(consecutiveFailures(4), failureRate({ ...rates, threshold: 0.9 })),
      probePolicy: anyOf(
        allOf(everyNthAttempt(2), afterCooldown(500)),
        exponentialBackoff({ jitter: 'none' }),
      ),
    },
  ],
  [
    'policies that throw or return nonsense',
    { tripPolicy: brokenTripPolicy, probePolicy: brokenProbePolicy },
  ],
  [
    'combined policies with members that throw or return nonsense',
    {
      tripPolicy: anyTrip(brokenTripPolicy, consecutiveFailures(), brokenTripPolicy),
      probePolicy: allOf(
        afterCooldown(2_000),
        brokenProbePolicy,
        anyOf(brokenProbePolicy, everyNthAttempt(4)),
      ),
    },
  ],
  ['a trip policy that opens on success', { tripPolicy: anyTrip(tripOnSuccess, consecutiveFailures()) }],
  ['a classifier that throws or returns nonsense', { classify: brokenClassifier }],
  ['a classifier that looks at durations and sizes', { classify: bySizeAndDuration, successThreshold: 2 }],
];

describe('does what the model says', () => {
  it.each(cases)('with %s', (_name, options) => {
    const { commands, setup } = circuitCommands(fc, options);
    let fewest = Number.POSITIVE_INFINITY;
    fc.assert(
      fc.property(commands, (run) => {
        const started = setup();
        fc.modelRun(() => started, run);
        fewest = Math.min(fewest, started.model.commandsRun);
      }),
      runs(200),
    );
    expect(fewest).toBeGreaterThanOrEqual(20);
  });

  it('when the promises of the inner exporter are rejected between the commands', async () => {
    const { commands, setup } = circuitCommands(fc);
    await fc.assert(
      fc.asyncProperty(commands, (run) =>
        fc.asyncModelRun(setup as Setup, settling(run as Iterable<CircuitCommand>)),
      ),
      runs(200),
    );
  });
});

type Setup = () => { model: CircuitModel; real: CircuitSystem };

/** The same commands, with time after each for promises to settle. */
function* settling(commands: Iterable<CircuitCommand>) {
  for (const command of commands) {
    yield {
      check: (model: CircuitModel) => command.check(model),
      async run(model: CircuitModel, real: CircuitSystem) {
        command.run(model, real);
        await new Promise((resolve) => setImmediate(resolve));
        model.settleRejections();
        compare(`${command}, and what its promises did`, model, real, []);
      },
      toString: () => `${command}`,
    };
  }
}
