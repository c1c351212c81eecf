/**
 * Where scenario 8 gets its nginx from: `NGINX`, `nginx` on PATH or in /usr/sbin, or Debian's package, unpacked into the
 * cache folder and not installed: no service of the machine is made or started.
 */
import fs from 'node:fs';
import path from 'node:path';
import { must, run } from '../compat/command.ts';
import { cached } from '../compat/nodes.ts';

/** @returns its path, or undefined where there is none and none can be had */
export async function findNginx(log: (line: string) => void): Promise<string | undefined> {
  const named = process.env['NGINX'];
  if (named !== undefined && named !== '') return named;
  const folders = [...(process.env['PATH'] ?? '').split(path.delimiter), '/usr/sbin'];
  const installed = folders.map((folder) => path.join(folder, 'nginx')).find((file) => fs.existsSync(file));
  if (installed !== undefined) return installed;
  try {
    const folder = await cached('nginx', async (where) => {
      log('unpacking nginx (the first time only)');
      await download(where);
      const [archive] = fs.readdirSync(where).filter((name) => name.endsWith('.deb'));
      await must('dpkg-deb', ['-x', archive ?? 'nginx.deb', '.'], { cwd: where });
      // A library that the package depends on may be missing here.
      await must(path.join(where, 'usr', 'sbin', 'nginx'), ['-V'], { cwd: where });
    });
    return path.join(folder, 'usr', 'sbin', 'nginx');
  } catch (error) {
    log(`no nginx: ${(error as Error).message.split('\n')[0]}`);
    return undefined;
  }
}

async function download(where: string): Promise<void> {
  try {
    await must('apt-get', ['download', 'nginx'], { cwd: where });
  } catch {
    // A fresh container has no lists.
    await must('apt-get', ['update'], { cwd: where });
    await must('apt-get', ['download', 'nginx'], { cwd: where });
  }
}

/** As it says itself. */
export async function nginxVersion(nginx: string): Promise<string> {
  const { output } = await run(nginx, ['-v'], { cwd: path.dirname(nginx) });
  return /nginx\/(\S+)/.exec(output)?.[1] ?? 'unknown';
}
