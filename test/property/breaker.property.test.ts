import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Classification, ExportResultLike, ProbePolicy, TripPolicy } from '../../src/index.ts';
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
import { runs, seed } from './seed.ts';

/** Throws, answers nonsense, and opens, in turns; cannot even be reset. */
const brokenTripPolicy: TripPolicy = {
  createDetector() {
    let asked = 0;
    const answer = () => {
      asked += 1;
      if (asked % 4 === 1) throw new Error('the trip policy threw');
      return [undefined, 'yes', true][(asked + 1) % 4] as boolean;
    };
    return {
      onSuccess: answer,
      onFailure: answer,
      reset() {
        throw new Error('the trip policy cannot be reset');
      },
    };
  },
};

const brokenProbePolicy: ProbePolicy = ({ attempt }) => {
  if (attempt % 3 === 0) throw new Error('the probe policy threw');
  return (attempt % 2 === 0 ? 'no' : false) as boolean;
};

/** Opens at the second success in a row: a success can open the circuit if a policy says so. */
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

const inverted = ({ code }: ExportResultLike): Classification => (code === 0 ? 'failure' : 'success');

const rates = { window: { exports: 8 }, minimumExports: 3 };

const cases: readonly (readonly [string, CircuitCommandsOptions])[] = [
  ['the defaults', {}],
  ['successThreshold 2', { successThreshold: 2, name: 'collector "2"' }],
  [
    'successThreshold 3 and eager probes',
    { successThreshold: 3, probePolicy: everyNthAttempt(2, { first: 1 }) },
  ],
  ['no export time-out', { exportTimeoutMillis: 0, probePolicy: defaultProbePolicy }],
  ['probes that time out before their exports do', { probeTimeoutMillis: 4_000, successThreshold: 2 }],
  ['exports that time out after 1 ms', { exportTimeoutMillis: 1 }],
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
      tripPolicy: slowExportRate({ ...rates, slowerThanMillis: 999 }),
      probePolicy: exponentialBackoff({ jitter: 'equal' }),
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
    'policies that throw or answer nonsense',
    { tripPolicy: brokenTripPolicy, probePolicy: brokenProbePolicy },
  ],
  ['a trip policy that opens on success', { tripPolicy: tripOnSuccess }],
  ['a classifier that throws or answers nonsense', { classify: brokenClassifier }],
  ['a classifier that turns results around', { classify: inverted, successThreshold: 2 }],
];

describe(`does what the model says (FC_SEED=${seed})`, () => {
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
