import type { TransitionLogger } from '../adapters/logging.ts';
import type { SpoolLogger } from '../disk/spool-log.ts';
import { registeredApi } from './registered-api.ts';

/** A problem of attach itself: always a line, in the application's `diag` logger if there is one, else on stderr. */
export function warn(message: string): void {
  try {
    const { diag } = registeredApi() ?? {};
    if (diag === undefined) writeLine(message);
    else diag.warn(line(message));
  } catch {
    // A logger that throws, or a closed stderr: nobody is left to tell.
  }
}

/** Where the lines about circuits go; those on stderr can be switched off. Probes are told to `diag` only. */
export function transitionLogger(env: NodeJS.ProcessEnv): TransitionLogger {
  const silent = env['OTEL_CIRCUIT_BREAKER_LOG']?.trim().toLowerCase() === 'none';
  const tell = (level: keyof TransitionLogger, message: string): void => {
    try {
      const { diag } = registeredApi() ?? {};
      if (diag !== undefined) diag[level](message);
      else if (!silent && level !== 'debug') writeLine(message);
    } catch {
      // As above.
    }
  };
  return {
    warn: (message) => tell('warn', message),
    info: (message) => tell('info', message),
    debug: (message) => tell('debug', message),
  };
}

/** Where the disk stores of attach tell their problems: not to `diag` alone, which the application may not have set up. */
export function diskLogger(env: NodeJS.ProcessEnv): SpoolLogger {
  return { error: warn, warn, info: transitionLogger(env).info };
}

/** Why something failed, in one line: the message of a module that is not found goes on over several. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split('\n', 1).join();
}

function writeLine(message: string): void {
  process.stderr.write(`${line(message)}\n`);
}

function line(message: string): string {
  return `otel-circuit-breaker: ${message}`;
}
