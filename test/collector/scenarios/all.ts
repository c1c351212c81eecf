import type { Scenario } from '../scenario.ts';
import { fileFallback } from './file-fallback.ts';
import { memoryLimiter, queueFull, upstreamHint } from './pressure.ts';
import { authentication, tooLarge } from './refusal.ts';
import { hastyRestart, rollingRestart } from './rolling-restart.ts';
import { plainToTls, wrongAuthority } from './tls.ts';
import { hanging, killed, up } from './up-and-down.ts';

/** In the order of the issue. */
export const scenarios: readonly Scenario[] = [
  up,
  killed,
  hanging,
  memoryLimiter,
  queueFull,
  upstreamHint,
  authentication,
  tooLarge,
  wrongAuthority,
  plainToTls,
  rollingRestart,
  hastyRestart,
  fileFallback,
];
