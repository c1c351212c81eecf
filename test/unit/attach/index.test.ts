import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const { begin } = vi.hoisted(() => ({ begin: vi.fn() }));
vi.mock('../../../src/attach/attach.ts', () => ({
  Attachment: class {
    begin = begin;
  },
}));

const ATTACHED = Symbol.for('otel-circuit-breaker.attach');
const globals = globalThis as unknown as Record<symbol, unknown>;
let stderr: string[] = [];

beforeEach(() => {
  vi.resetModules();
  stderr = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr.push(String(text));
    return true;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  begin.mockReset();
  delete globals[ATTACHED];
});

/** Evaluates the entry, as each module format of each copy does. */
const load = () => import('../../../src/attach/index.ts');

describe('the entry', () => {
  it('exports nothing, and attaches once in a process', async () => {
    expect(Object.keys(await load())).toEqual([]);
    expect(begin).toHaveBeenCalledTimes(1);
  });

  it('does nothing, in silence, where the same copy is attached', async () => {
    await load();
    vi.resetModules();
    await load();
    expect(begin).toHaveBeenCalledTimes(1);
    expect(stderr).toEqual([]);
  });

  it('does nothing, and says so, where another copy is attached', async () => {
    globals[ATTACHED] = '/other/node_modules/otel-circuit-breaker/dist';
    await load();
    expect(begin).not.toHaveBeenCalled();
    expect(stderr).toEqual([
      expect.stringMatching(
        /^otel-circuit-breaker: \/other\/\S+ is attached to this process already; the copy in \S+ does nothing\n$/,
      ),
    ]);
  });

  it('throws nothing, and says so, where the process does not let it', async () => {
    begin.mockImplementation(() => {
      throw new TypeError('frozen');
    });
    await load();
    expect(stderr).toEqual(['otel-circuit-breaker: does nothing, the application is not affected: frozen\n']);
  });
});
