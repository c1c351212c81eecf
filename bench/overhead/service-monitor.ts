/**
 * Loaded into the reference service before everything else (`--import`): answers each message with the CPU time that the
 * service has used so far, and ends it with the process that started it.
 */
import { dieWithParent } from '../../test/support/die-with-parent.ts';

dieWithParent();
process.on('message', () => process.send?.(process.cpuUsage()));
