import { describe, expect, it, vi } from 'vitest';
import { Waits } from '../../../src/delivery/waits.ts';
import { CountingClock, settled, watch } from './rig.ts';

const forEver = new Promise<void>(() => {});

function arrange() {
  const clock = new CountingClock();
  return { clock, waits: new Waits(clock), schedule: vi.spyOn(clock, 'schedule') };
}

describe('a wait until a time', () => {
  it('says true for what settles in time, rejected or not, and leaves no timer', async () => {
    const { clock, waits } = arrange();
    const rejected = Promise.reject(new Error('mine'));
    expect(await waits.until(Promise.resolve(), () => 100)).toBe(true);
    expect(await waits.until(rejected, () => 100)).toBe(true);
    await expect(rejected).rejects.toThrow('mine');
    expect(clock.pending.size).toBe(0);
  });

  it('says false when the time is over, and not before', async () => {
    const { clock, waits } = arrange();
    const waiting = watch(waits.until(forEver, () => 100));
    clock.advance(99);
    await settled();
    expect(waiting.done).toBe(false);
    clock.advance(1);
    await settled();
    expect(waiting.done).toBe(true);
    expect(await waits.until(forEver, () => 50)).toBe(false);
    expect(clock.pending.size).toBe(0);
  });

  it('says true for what has settled already, though the time is over', async () => {
    const { waits } = arrange();
    expect(await waits.until(Promise.resolve(), () => -1)).toBe(true);
  });

  it('asks anew when the time is over: it may have become longer', async () => {
    const { clock, waits } = arrange();
    let endsAt = 100;
    const waiting = watch(waits.until(forEver, () => endsAt));
    endsAt = 250;
    clock.advance(249);
    await settled();
    expect(waiting.done).toBe(false);
    clock.advance(1);
    await settled();
    expect(waiting.done).toBe(true);
  });

  it('asks anew at a look: it may have become shorter', async () => {
    const { clock, waits } = arrange();
    let endsAt = 1_000;
    const waiting = [watch(waits.until(forEver, () => endsAt)), watch(waits.until(forEver, () => endsAt))];
    clock.advance(100);
    endsAt = 100;
    waits.look();
    await settled();
    expect(waiting.map(({ done }) => done)).toEqual([true, true]);
    expect(clock.pending.size).toBe(0);
  });

  it('has one timer, however often it looks, and none once it is over', async () => {
    const { clock, waits } = arrange();
    const first = waits.until(Promise.resolve(), () => 100);
    const second = watch(waits.until(forEver, () => 100));
    for (let i = 0; i < 3; i++) waits.look();
    expect(clock.pending.size).toBe(2);
    await first;
    waits.look();
    expect(clock.pending.size).toBe(1);
    clock.advance(100);
    await settled();
    waits.look();
    expect([second.done, clock.pending.size]).toEqual([true, 0]);
  });

  it('says false from the end on, also where it begins then', async () => {
    const { clock, waits } = arrange();
    const waiting = waits.until(forEver, () => 1_000);
    waits.end();
    expect(await waiting).toBe(false);
    expect(await waits.until(forEver, () => 1_000)).toBe(false);
    expect(await waits.until(Promise.resolve(), () => 1_000)).toBe(true);
    expect(clock.pending.size).toBe(0);
  });

  it('keeps the process alive until then, also where there is no end', async () => {
    const { clock, waits, schedule } = arrange();
    let resolve = (): void => {};
    const never = watch(
      waits.until(
        new Promise<void>((done) => {
          resolve = done;
        }),
        () => Number.POSITIVE_INFINITY,
      ),
    );
    void waits.until(forEver, () => 100);
    expect(schedule.mock.calls.map(([, , keepAlive]) => keepAlive)).toEqual([true, true]);
    clock.advance(1e8);
    await settled();
    expect(clock.pending.size).toBe(1);
    resolve();
    await settled();
    expect(never.done).toBe(true);
    expect(clock.pending.size).toBe(0);
  });
});
