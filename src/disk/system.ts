import type { DiskTime } from './disk-time.ts';
import { systemTime } from './disk-time.ts';
import type { Files } from './files.ts';
import { systemFiles } from './files.ts';
import type { Processes } from './processes.ts';
import { systemProcesses } from './processes.ts';
import type { SpoolLogger } from './spool-log.ts';

/** Everything outside of the store that it uses. */
export interface System {
  readonly files: Files;
  readonly processes: Processes;
  readonly time: DiskTime;
  /** A number in [0, 1). */
  random(): number;
  /** @defaultValue `diag` */
  readonly logger?: SpoolLogger;
}

/** The real one; tests have their own. */
export const realSystem: System = {
  files: systemFiles,
  processes: systemProcesses,
  time: systemTime,
  random: () => Math.random(),
};
