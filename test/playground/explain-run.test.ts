import { describe, expect, it } from 'vitest';
import type { Step } from '../../docs/playground/simulation/explain-run.ts';
import { explainRun } from '../../docs/playground/simulation/explain-run.ts';
import { PRESETS } from '../../docs/playground/simulation/presets.ts';
import { runSimulation } from '../../docs/playground/simulation/run-simulation.ts';
import type { Settings } from '../../docs/playground/simulation/settings.ts';
import { DEFAULT_SETTINGS } from '../../docs/playground/simulation/settings.ts';

function stepsOf(different: Partial<Settings>): readonly Step[] {
  return explainRun(runSimulation({ ...DEFAULT_SETTINGS, ...different }));
}

function sentence(different: Partial<Settings>, title: string): string | undefined {
  return stepsOf(different).find((step) => step.title === title)?.sentence;
}

describe('the story of a run', () => {
  it.each(PRESETS)('has a step for each transition, in order of time: $label', ({ settings }) => {
    const run = runSimulation(settings);
    const steps = explainRun(run);
    const times = steps.map(({ at }) => at);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    for (const { at } of run.guarded.transitions) expect(times).toContain(at / 1_000);
    expect(steps.length).toBeGreaterThanOrEqual(run.guarded.transitions.length + 1);
    for (const { sentence } of steps) expect(sentence).toMatch(/^[A-Z0-9].*\.$/);
    for (const { sentence } of steps) expect(sentence).not.toMatch(/undefined|NaN|null|Infinity/);
  });

  it('begins with the incident, and ends with the losses of both', () => {
    const steps = stepsOf({});
    expect(steps[0]).toMatchObject({ at: 30, title: 'The incident begins' });
    expect(steps.at(-1)?.sentence).toBe(
      'The library has lost 0 spans of 48,000; without it, 10,800 were lost.',
    );
  });

  it('says what opened the circuit', () => {
    expect(sentence({}, 'The circuit opens')).toContain('3 exports in a row failed (ECONNREFUSED).');
    expect(sentence({ backend: 'hangs' }, 'The circuit opens')).toContain('(Request timed out)');
    expect(sentence({ trip: 'rate', percent: 20 }, 'The circuit opens')).toContain(
      'At least 20 % of the exports of the last 60 s failed',
    );
    const slow = { backend: 'slow', slow: 5, trip: 'either', window: 30, minimum: 2 } as const;
    expect(sentence(slow, 'The circuit opens')).toContain('took longer than 2 s');
    expect(sentence({ failures: 1 }, 'The circuit opens')).toContain('An export failed (');
  });

  it('says what becomes of the batches', () => {
    expect(sentence({}, 'The circuit opens')).toContain('kept in memory');
    expect(sentence({ retention: false }, 'The circuit opens')).toContain('and lost');
    expect(sentence({ retention: false, fallback: true }, 'The circuit opens')).toContain('to the fallback');
  });

  it('says why a probe was allowed', () => {
    expect(sentence({ probe: 'nth', nth: 3 }, 'A probe')).toContain('attempt 3 since the circuit opened');
    expect(sentence({ probe: 'nth', nth: 3 }, 'A probe')).toContain('every 3rd may probe');
    expect(sentence({ probe: 'cooldown', cooldown: 7 }, 'A probe')).toContain('the pause is 7 s');
    expect(sentence({ probe: 'backoff' }, 'A probe')).toContain('the first pause is over');
    const busy = { rate: 4, fail: 0 };
    expect(sentence(busy, 'A probe')).toContain(
      'attempt 10 since the circuit opened, and every 10th may probe',
    );
    expect(sentence({ fail: 0 }, 'A probe')).toContain('open for 4 s, and the first pause is over');
  });

  it('knows a probe with a kept batch', () => {
    const silent = stepsOf({ rate: 0.01, start: 0, failures: 1 });
    expect(silent.some(({ sentence }) => sentence.startsWith('No batch has come for a while'))).toBe(true);
  });

  it('says why a probe failed', () => {
    expect(sentence({}, 'The probe fails')).toContain('The probe failed after 8 s (ECONNREFUSED).');
    const slow = { backend: 'slow', slow: 3, trip: 'slow', window: 30, minimum: 3 } as const;
    expect(sentence(slow, 'The probe fails')).toContain('The probe got through, but took longer than 2 s');
  });

  it('says how long after the incident the circuit closed, and what is left to do', () => {
    expect(sentence({}, 'The circuit closes')).toContain('3 s after the end of the incident');
    expect(sentence({}, 'The circuit closes')).toContain('12,600 spans are waiting');
    expect(sentence({}, 'The backlog is gone')).toContain('63 s after the circuit closed');
  });

  it('says when retention is full', () => {
    expect(sentence({ items: 5_000 }, 'Retention is full')).toContain('the oldest batches are lost');
  });
});
