import { describe, expect, it } from 'vitest';
import { batchesOf } from '../../docs/playground/simulation/batch.ts';
import type { Settings } from '../../docs/playground/simulation/settings.ts';
import { DEFAULT_SETTINGS } from '../../docs/playground/simulation/settings.ts';
import { SimulatedBackend } from '../../docs/playground/simulation/simulated-backend.ts';
import { ManualClock } from '../../src/testing/manual-clock.ts';

/** What an export that begins at this second is answered, and after how many seconds. */
function answer(different: Partial<Settings>, atSeconds: number) {
  const clock = new ManualClock();
  const backend = new SimulatedBackend(clock, { ...DEFAULT_SETTINGS, start: 10, length: 20, ...different });
  clock.advance(atSeconds * 1_000);
  const answers: { after: number; cause: unknown }[] = [];
  backend.export(batchesOf(1)(), ({ code, error }) => {
    const { code: cause = error?.message } = (error ?? {}) as { code?: unknown };
    answers.push({ after: clock.now() / 1_000 - atSeconds, cause: code === 0 ? 'success' : cause });
  });
  clock.advance(60_000);
  expect(answers).toHaveLength(1);
  return answers[0];
}

const healthy = { after: 0, cause: 'success' };

describe('the simulated backend', () => {
  it('is healthy before the incident, and from its end on', () => {
    for (const backend of ['refuses', 'hangs', 'slow', 'flapping', 'rejects'] as const) {
      for (const at of [0, 9.9, 30]) expect(answer({ backend, share: 100 }, at)).toEqual(healthy);
      expect(answer({ backend, share: 100 }, 10)).not.toEqual(healthy);
    }
    expect(answer({ backend: 'healthy' }, 10)).toEqual(healthy);
  });

  it('refuses', () => {
    expect(answer({ fail: 8 }, 10)).toEqual({ after: 8, cause: 'ECONNREFUSED' });
    expect(answer({ fail: 0 }, 29.9)).toEqual({ after: 0, cause: 'ECONNREFUSED' });
  });

  it('hangs until the exporter gives up', () => {
    expect(answer({ backend: 'hangs', timeout: 3 }, 10)).toEqual({ after: 3, cause: 'Request timed out' });
  });

  it('is slow, but not slower than the exporter waits', () => {
    expect(answer({ backend: 'slow', slow: 3, timeout: 4 }, 10)).toEqual({ after: 3, cause: 'success' });
    expect(answer({ backend: 'slow', slow: 4, timeout: 4 }, 10)).toMatchObject({
      cause: 'Request timed out',
    });
    expect(answer({ backend: 'slow', slow: 9, timeout: 4 }, 10)).toEqual({
      after: 4,
      cause: 'Request timed out',
    });
  });

  it('flaps: first it is down', () => {
    const flapping = { backend: 'flapping', flap: 5, fail: 1 } as const;
    const causes = [10, 14.9, 15, 19.9, 20].map((at) => answer(flapping, at)?.cause);
    expect(causes).toEqual(['ECONNREFUSED', 'ECONNREFUSED', 'success', 'success', 'ECONNREFUSED']);
  });

  it('rejects some batches, evenly spread, and the same ones each time', () => {
    const backend = new SimulatedBackend(new ManualClock(), {
      ...DEFAULT_SETTINGS,
      backend: 'rejects',
      start: 0,
      share: 25,
    });
    const next = batchesOf(1);
    const batches = Array.from({ length: 12 }, () => next());
    const rejected = () =>
      batches.filter((batch) => {
        let accepted = true;
        backend.export(batch, ({ code }) => {
          accepted = code === 0;
        });
        return !accepted;
      });
    expect(rejected().map(({ number }) => number)).toEqual([4, 8, 12]);
    expect(rejected()).toEqual(rejected());
    expect(backend.requests).toBe(36);
  });
});
