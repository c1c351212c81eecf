import { describe, expect, it } from 'vitest';
import { RecentAnswers } from '../../../src/delivery/recent-answers.ts';

function after(...durations: number[]): RecentAnswers {
  const recent = new RecentAnswers();
  for (const duration of durations) recent.liveSucceeded(duration);
  return recent;
}

describe('longer than usual', () => {
  it.each([
    ['1 s before the first success', [], 100, 1_000],
    ['at least handOverMillis', [1, 2], 100, 100],
    ['four times the slowest success', [1, 90, 2], 100, 360],
    ['at most 1 s', [20_000], 100, 1_000],
    ['handOverMillis, where that is more than 1 s', [20_000], 3_000, 3_000],
    ['handOverMillis before the first success, where that is more than 1 s', [], 3_000, 3_000],
    ['of the last eight', [200, 30, 30, 30, 30, 30, 30, 30, 30], 100, 120],
    ['of all eight', [200, 30, 30, 30, 30, 30, 30, 30], 100, 800],
  ])('is %s', (_, durations, handOverMillis, millis) => {
    expect(after(...durations).longerThanUsual(handOverMillis)).toBe(millis);
  });
});

describe('patience', () => {
  it.each([
    ['all there is before the first success', [], 5_000, 5_000],
    ['at least 500 ms', [1], 5_000, 500],
    ['four times the slowest success', [200, 1], 5_000, 800],
    ['at most what it may be', [8_000], 5_000, 5_000],
    ['at most what it may be, where that is below 500 ms', [1], 70, 70],
  ])('is %s', (_, durations, longestMillis, millis) => {
    expect(after(...durations).patience(longestMillis)).toBe(millis);
  });
});

describe('the last answer', () => {
  it('is none at first, and knows if it was a failure', () => {
    const recent = new RecentAnswers();
    expect([recent.lastAt, recent.lastFailed]).toEqual([Number.NEGATIVE_INFINITY, false]);
    for (const [classification, failed] of [
      ['failure', true],
      ['invalid', false],
      ['failure', true],
      ['success', false],
    ] as const) {
      recent.answered(5, classification);
      expect([recent.lastAt, recent.lastFailed]).toEqual([5, failed]);
    }
  });
});
