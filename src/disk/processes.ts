import { createHash } from 'node:crypto';
import { readFile, readlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { ProcessIdentity } from './folder-name.ts';

/** What can be known of processes. */
export interface Processes {
  /** This process. */
  self(): Promise<ProcessIdentity>;
  /**
   * Whether a process lives, seen from `self`. `'unknown'`: its id means nothing here, because it belongs to another
   * boot, machine or pid namespace, or may be another process's by now.
   */
  stateOf(owner: ProcessIdentity, self: ProcessIdentity): Promise<'alive' | 'dead' | 'unknown'>;
}

/** The processes of the system. */
export const systemProcesses: Processes = {
  async self() {
    const unknown = { world: '', pid: process.pid, startedAt: '' };
    if (process.platform !== 'linux') return { ...unknown, world: worldOf(process.platform, hostname()) };
    try {
      const [bootId, namespace, ownLink, stat] = await Promise.all([
        readFile('/proc/sys/kernel/random/boot_id', 'latin1'),
        readlink('/proc/self/ns/pid'),
        readlink('/proc/self'),
        readStat('self'),
      ]);
      // In a new namespace without a /proc of its own, the ids there are those of the one above.
      if (ownLink !== String(process.pid)) return unknown;
      return { world: worldOf(bootId, namespace), pid: process.pid, startedAt: stat.startedAt };
    } catch {
      return unknown;
    }
  },

  async stateOf(owner, self) {
    if (self.world === '' || owner.world !== self.world) return 'unknown';
    // Perhaps a thread of this process that has ended.
    if (owner.pid === self.pid && owner.startedAt === self.startedAt) return 'unknown';
    if (!exists(owner.pid)) return 'dead';
    if (owner.startedAt === '') return 'unknown';
    try {
      const { state, startedAt } = await readStat(String(owner.pid));
      // A zombie is dead; its parent has not noticed yet.
      return startedAt === owner.startedAt && state !== 'Z' && state !== 'X' ? 'alive' : 'dead';
    } catch {
      return exists(owner.pid) ? 'unknown' : 'dead';
    }
  },
};

function worldOf(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex').slice(0, 16);
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
async function readStat(pid: string): Promise<{ state: string; startedAt: string }> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
  // The second field is the command's name, which can contain anything.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startedAt] = [fields[0], fields[19]];
  if (state === undefined || startedAt === undefined) throw new Error('unexpected format of /proc/…/stat');
  return { state, startedAt };
}
