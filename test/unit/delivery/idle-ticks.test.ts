import { describe, expect, it } from 'vitest';
import { IdleTicks } from '../../../src/delivery/idle-ticks.ts';
import { CountingClock } from './rig.ts';

function arrange(idleMillis = 1_000) {
  const clock = new CountingClock();
  const ticks: number[] = [];
  const idle = new IdleTicks(clock, idleMillis, () => void ticks.push(clock.now()));
  /** Offers at these times. */
  const offerAt = (...times: number[]): void => {
    for (const at of times) {
      clock.advance(at - clock.now());
      idle.offered(at);
    }
  };
  return { clock, ticks, idle, offerAt };
}

describe('a tick comes', () => {
  it('idleMillis after the start, and idleMillis after each tick', () => {
    const { clock, ticks, idle } = arrange();
    idle.start(0);
    clock.advance(3_500);
    expect(ticks).toEqual([1_000, 2_000, 3_000]);
  });

  it('idleMillis after the last offer', () => {
    const { clock, ticks, idle, offerAt } = arrange();
    idle.start(0);
    offerAt(300, 400);
    clock.advance(999);
    expect(ticks).toEqual([]);
    clock.advance(1);
    expect(ticks).toEqual([1_400]);
  });

  it('never while offers come', () => {
    const { ticks, idle, offerAt } = arrange();
    idle.start(0);
    offerAt(...Array.from({ length: 100 }, (_, i) => 900 * (i + 1)));
    expect(ticks).toEqual([]);
  });

  it('never with idleMillis 0, and needs no timer', () => {
    const { clock, idle, offerAt } = arrange(0);
    idle.start(0);
    offerAt(100, 200);
    clock.advance(1e9);
    expect(clock.most).toBe(0);
  });
});

describe('the rhythm of the exporter itself', () => {
  it('is the longest of the last four pauses between two offers: silent is who pauses for twice as long', () => {
    const { clock, ticks, idle, offerAt } = arrange();
    offerAt(0, 3_000, 4_000, 5_000, 6_000);
    idle.start(6_000);
    clock.advance(5_999);
    expect(ticks).toEqual([]);
    clock.advance(1);
    expect(ticks).toEqual([12_000]);
    clock.advance(6_000);
    expect(ticks).toEqual([12_000, 18_000]);
  });

  it('forgets the fifth pause', () => {
    const { clock, ticks, idle, offerAt } = arrange();
    offerAt(0, 3_000, 4_000, 5_000, 6_000, 7_000);
    idle.start(7_000);
    clock.advance(2_000);
    expect(ticks).toEqual([9_000]);
  });

  it('that has become quicker counts at once: a timer that is too late is replaced', () => {
    const { clock, ticks, idle, offerAt } = arrange(3_000);
    offerAt(2, 9_004);
    idle.start(9_004);
    offerAt(9_005, 9_006, 9_007, 9_008);
    expect(clock.pending.size).toBe(1);
    clock.advance(2_999);
    expect(ticks).toEqual([]);
    clock.advance(1);
    expect(ticks).toEqual([12_008]);
  });

  it('never makes it wait for more than ten times idleMillis', () => {
    const { clock, ticks, idle, offerAt } = arrange();
    offerAt(0, 60_000);
    idle.start(60_000);
    clock.advance(9_999);
    expect(ticks).toEqual([]);
    clock.advance(1);
    expect(ticks).toEqual([70_000]);
  });

  it('is known from offers before the start', () => {
    const { clock, ticks, idle, offerAt } = arrange(15_000);
    // A metric reader.
    offerAt(0, 60_000, 120_000);
    idle.start(120_000);
    offerAt(180_000, 240_000);
    expect(ticks).toEqual([]);
    clock.advance(119_999);
    expect(ticks).toEqual([]);
    clock.advance(1);
    expect(ticks).toEqual([360_000]);
  });
});

describe('the timer', () => {
  it('is one, from start to stop', () => {
    const { clock, ticks, idle, offerAt } = arrange();
    expect(clock.pending.size).toBe(0);
    idle.start(0);
    idle.start(0);
    offerAt(100, 700, 1_300, 1_900);
    expect(clock.pending.size).toBe(1);
    idle.stop();
    expect(clock.pending.size).toBe(0);
    expect(clock.most).toBe(1);
    clock.advance(10_000);
    expect(ticks).toEqual([]);
  });

  it('counts anew from the next start', () => {
    const { clock, ticks, idle } = arrange();
    idle.start(0);
    idle.stop();
    clock.advance(700);
    idle.start(700);
    clock.advance(1_000);
    expect(ticks).toEqual([1_700]);
  });

  it('is not started anew by a second start', () => {
    const { clock, ticks, idle } = arrange();
    idle.start(0);
    clock.advance(500);
    idle.start(500);
    clock.advance(500);
    expect(ticks).toEqual([1_000]);
  });

  it('that was lost is made anew by the next offer', () => {
    const { clock, ticks, idle, offerAt } = arrange();
    clock.losesTimers = true;
    idle.start(0);
    clock.advance(5_000);
    clock.losesTimers = false;
    offerAt(5_000);
    clock.advance(999);
    expect(ticks).toEqual([]);
    clock.advance(1);
    expect(ticks).toEqual([6_000]);
  });

  it('may be stopped by a tick', () => {
    const clock = new CountingClock();
    let count = 0;
    const idle = new IdleTicks(clock, 1_000, () => {
      count++;
      idle.stop();
    });
    idle.start(0);
    clock.advance(5_000);
    expect(count).toBe(1);
    expect(clock.pending.size).toBe(0);
  });
});
