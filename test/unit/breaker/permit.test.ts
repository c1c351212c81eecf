import { describe, expect, it } from 'vitest';
import { SendingPermit } from '../../../src/breaker/permit.ts';

function arrangePermit() {
  const heard: unknown[][] = [];
  const permit = new SendingPermit((...told) => heard.push(told), 4, 1_000, 7, true);
  return { permit, heard };
}

describe('SendingPermit', () => {
  it('knows what its breaker has to know', () => {
    expect(arrangePermit().permit).toMatchObject({ items: 4, startedAt: 1_000, generation: 7, probe: true });
  });

  it.each([
    ['succeed', 'success', undefined],
    ['invalid', 'invalid', 'why'],
    ['fail', 'failure', 'why'],
    ['ignore', 'ignored', undefined],
  ] as const)('tells of %s() once, as %s', (settle, result, error) => {
    const { permit, heard } = arrangePermit();
    permit[settle]('why');
    permit[settle]('again');
    permit.succeed();
    permit.fail('again');
    expect(heard).toEqual([[permit, result, error]]);
  });

  it.each(['success', 'invalid', 'failure', 'ignored'] as const)(
    'can be settled by the name of its result: %s',
    (result) => {
      const { permit, heard } = arrangePermit();
      permit.settle(result, 'why');
      permit.settle('success', 'again');
      expect(heard).toEqual([[permit, result, 'why']]);
    },
  );

  it('is settled before it tells: a listener cannot settle it again', () => {
    const heard: string[] = [];
    const permit = new SendingPermit(
      (told, result) => {
        heard.push(result);
        told.fail();
      },
      1,
      0,
      0,
      false,
    );
    permit.succeed();
    expect(heard).toEqual(['success']);
  });
});
