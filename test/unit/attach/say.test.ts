import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { diskLogger, reasonOf, transitionLogger, warn } from '../../../src/attach/say.ts';
import { forgetApi, registerApi } from './arrange.ts';

let stderr: string[] = [];

beforeEach(() => {
  stderr = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr.push(String(text));
    return true;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  forgetApi();
});

function fakeDiag() {
  return { error: vi.fn(), warn: vi.fn(), info: vi.fn(), debug: vi.fn() };
}

describe('warn', () => {
  it('writes a line to stderr where no diag logger is set', () => {
    warn('something is wrong');
    registerApi({ version: '1.9.1' });
    warn('still');
    expect(stderr).toEqual(['otel-circuit-breaker: something is wrong\n', 'otel-circuit-breaker: still\n']);
  });

  it('goes to the diag logger of the application if there is one', () => {
    const diag = fakeDiag();
    registerApi({ diag });
    warn('something is wrong');
    expect(diag.warn.mock.calls).toEqual([['otel-circuit-breaker: something is wrong']]);
    expect(stderr).toEqual([]);
  });

  it('never throws', () => {
    const thrower = () => {
      throw new Error('no');
    };
    registerApi({ diag: { warn: thrower } });
    expect(() => warn('x')).not.toThrow();
    forgetApi();
    vi.mocked(process.stderr.write).mockImplementation(thrower);
    expect(() => warn('x')).not.toThrow();
  });
});

describe('transitionLogger', () => {
  it('writes a line each to stderr, without those about probes', () => {
    const logger = transitionLogger({});
    logger.warn('circuit "traces" opened');
    logger.debug('circuit "traces" lets a probe through');
    logger.info('circuit "traces" closed again');
    expect(stderr).toEqual([
      'otel-circuit-breaker: circuit "traces" opened\n',
      'otel-circuit-breaker: circuit "traces" closed again\n',
    ]);
  });

  it('writes nothing with OTEL_CIRCUIT_BREAKER_LOG=none, which leaves warnings', () => {
    const logger = transitionLogger({ OTEL_CIRCUIT_BREAKER_LOG: ' None ' });
    logger.warn('circuit "traces" opened');
    logger.info('circuit "traces" closed again');
    warn('a port is taken');
    expect(stderr).toEqual(['otel-circuit-breaker: a port is taken\n']);
  });

  it('tells all of it to the diag logger of the application, which has levels of its own', () => {
    const diag = fakeDiag();
    const logger = transitionLogger({ OTEL_CIRCUIT_BREAKER_LOG: 'none' });
    registerApi({ diag });
    logger.warn('opened');
    logger.info('closed');
    logger.debug('probe');
    expect([diag.warn.mock.calls, diag.info.mock.calls, diag.debug.mock.calls]).toEqual([
      [['opened']],
      [['closed']],
      [['probe']],
    ]);
    expect(stderr).toEqual([]);
  });
});

describe('reasonOf', () => {
  it.each<[unknown, string]>([
    [new Error("Cannot find module 'x'\nRequire stack:\n- /a.js"), "Cannot find module 'x'"],
    ['thrown', 'thrown'],
    [undefined, 'undefined'],
  ])('is one line: %j', (error, reason) => {
    expect(reasonOf(error)).toBe(reason);
  });
});

describe('diskLogger', () => {
  it('writes problems to stderr where no diag logger is set, also when the lines about circuits are off', () => {
    const logger = diskLogger({ OTEL_CIRCUIT_BREAKER_LOG: 'none' });
    logger.warn('the disk cannot be used');
    logger.error('a folder is refused');
    logger.info('the disk can be used again');
    expect(stderr).toEqual([
      'otel-circuit-breaker: the disk cannot be used\n',
      'otel-circuit-breaker: a folder is refused\n',
    ]);
  });
});
