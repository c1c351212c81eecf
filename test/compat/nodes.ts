import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { onceForEach } from './cell.ts';
import { must } from './command.ts';
import type { NodeMajor } from './lines.ts';
import { nodeVersions } from './lines.ts';
import { cacheFolder, removeAtExit } from './scratch.ts';

/** The path of a Node, installed into the cache by whoever needs it first. */
export const nodeBinary = onceForEach(async (major: NodeMajor): Promise<string> => {
  const version = nodeVersions[major];
  if (process.versions.node === version) return process.execPath;
  const folder = await cached(`node-${version}`, async (where) => {
    const manifest = { private: true, dependencies: { node: version }, allowScripts: { node: true } };
    writeFileSync(join(where, 'package.json'), JSON.stringify(manifest));
    await must('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline'], { cwd: where });
  });
  return join(folder, 'node_modules', 'node', 'bin', 'node');
});

/** A folder in the cache; made in one step, so that a run that was broken off leaves nothing half done. */
export async function cached(name: string, make: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(cacheFolder, name);
  if (existsSync(folder)) return folder;
  await mkdir(cacheFolder, { recursive: true });
  const draft = await mkdtemp(join(cacheFolder, `draft-${name}-`));
  removeAtExit(draft);
  try {
    await make(draft);
    // Another run may have been faster.
    if (!existsSync(folder)) renameSync(draft, folder);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return folder;
}
