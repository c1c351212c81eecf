import { describe, expect, it } from 'vitest';
import type { PermitIssuer } from '../../../src/breaker/permit.ts';
import { SendingPermit } from '../../../src/breaker/permit.ts';
import { ManualClock } from '../../../src/testing/manual-clock.ts';

function arrangePermit() {
  const clock = new ManualClock(2_000);
  const heard: unknown[][] = [];
  const settled: PermitIssuer['settled'] = (...told) => heard.push(told);
  const permit = new SendingPermit({ clock, settled }, 4, 1_000, 7, true);
  return { permit, heard, clock };
}

describe('SendingPermit', () => {
  it('knows what its breaker has to know', () => {
    expect(arrangePermit().permit).toMatchObject({ items: 4, startedAt: 1_000, generation: 7, probe: true });
  });

  it.each([
    ['succeed', 'success', undefined],
    ['invalid', 'invalid', 'why'],
    ['fail', 'failure', 'why'],
    ['ignore', 'ignored', 'why'],
  ] as const)('%s() settles it once, as %s, at the time of its clock', (settle, outcome, error) => {
    const { permit, heard, clock } = arrangePermit();
    permit[settle]('why');
    clock.advance(5);
    permit[settle]('again');
    permit.succeed();
    permit.settle('failure', 'again', 2_005);
    permit.settleUnsent('again', 2_005);
    expect(heard).toEqual([[permit, outcome, error, 2_000]]);
  });

  it('can be settled at a time that was read before', () => {
    const { permit, heard } = arrangePermit();
    permit.settle('failure', 'why', 1_500);
    permit.succeed();
    expect(heard).toEqual([[permit, 'failure', 'why', 1_500]]);
  });

  it('can be settled as unsent', () => {
    const { permit, heard } = arrangePermit();
    permit.settleUnsent('why', 1_500);
    expect(heard).toEqual([[permit, 'unsent', 'why', 1_500]]);
  });

  it('is settled before its breaker is told, which cannot settle it again', () => {
    const heard: string[] = [];
    const settled: PermitIssuer['settled'] = (permit, outcome) => {
      heard.push(outcome);
      permit.fail();
    };
    new SendingPermit({ clock: new ManualClock(), settled }, 1, 0, 0, false).succeed();
    expect(heard).toEqual(['success']);
  });
});
