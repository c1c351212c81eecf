import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { codeOf, systemFiles } from '../../../src/disk/files.ts';

const onWindows = process.platform === 'win32';
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'otel-circuit-breaker-files-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const bytes = (text: string): Buffer => Buffer.from(text);
const refusal = (promise: Promise<unknown>): Promise<string | undefined> =>
  promise.then(() => 'nothing was refused', codeOf);

describe('the files of the system', () => {
  it('are made once, with mode 0600, and appended to', async () => {
    const path = join(folder, 'a');
    await systemFiles.append(path, bytes('one '), { create: true, sync: true });
    await systemFiles.append(path, bytes('two'), { create: false, sync: false });
    expect(readFileSync(path, 'utf8')).toBe('one two');
    if (!onWindows) expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(await refusal(systemFiles.append(path, bytes('x'), { create: true, sync: false }))).toBe('EEXIST');
    expect(
      await refusal(systemFiles.append(join(folder, 'b'), bytes('x'), { create: false, sync: false })),
    ).toBe('ENOENT');
  });

  it('are read in part, cut off, and removed', async () => {
    const path = join(folder, 'a');
    writeFileSync(path, '0123456789');
    expect(String(await systemFiles.read(path, 2, 3))).toBe('234');
    expect(String(await systemFiles.read(path, 8, 30))).toBe('89');
    await systemFiles.truncate(path, 4);
    expect(readFileSync(path, 'utf8')).toBe('0123');
    await systemFiles.remove(path);
    expect(await systemFiles.status(path)).toBeUndefined();
    expect(await refusal(systemFiles.remove(path))).toBe('ENOENT');
    expect(await refusal(systemFiles.read(path, 0, 1))).toBe('ENOENT');
  });

  it('have the time of the file system when they are touched', async () => {
    const path = join(folder, 'a');
    await systemFiles.touch(path);
    utimesSync(path, 1, 1);
    await systemFiles.touch(path);
    const status = await systemFiles.status(path);
    expect(Math.abs((status?.modifiedMillis ?? 0) - Date.now())).toBeLessThan(60_000);
    expect(status).toMatchObject({ kind: 'file', size: 1 });
  });

  it('are in folders of mode 0700, which are made, listed, renamed and removed', async () => {
    const path = join(folder, 'a');
    await systemFiles.makeFolder(path);
    expect(await systemFiles.status(path)).toMatchObject({
      kind: 'folder',
      ...(onWindows ? {} : { mode: 0o700 }),
    });
    expect(await refusal(systemFiles.makeFolder(path))).toBe('EEXIST');
    await systemFiles.touch(join(path, 'file'));
    await systemFiles.syncFolder(path);
    const renamed = join(folder, 'b');
    await systemFiles.move(path, renamed);
    expect(await systemFiles.list(renamed)).toEqual(['file']);
    expect(await refusal(systemFiles.move(path, renamed))).toBe('ENOENT');
    expect(await refusal(systemFiles.removeFolder(renamed))).toMatch(/ENOTEMPTY|EEXIST/);
    await systemFiles.remove(join(renamed, 'file'));
    await systemFiles.removeFolder(renamed);
    expect(await systemFiles.list(folder)).toEqual([]);
  });

  it('are in a folder that is made with those above it', async () => {
    const path = join(folder, 'a', 'b', 'c');
    await systemFiles.makeFolders(path);
    await systemFiles.makeFolders(path);
    await systemFiles.checkWritable(path);
    expect(statSync(path).isDirectory()).toBe(true);
    writeFileSync(join(folder, 'file'), '');
    expect(await refusal(systemFiles.makeFolders(join(folder, 'file')))).toBe('EEXIST');
    expect(await refusal(systemFiles.makeFolders(join(folder, 'file', 'below')))).toBe('ENOTDIR');
  });
});

describe.skipIf(onWindows)('what is no plain file of ours', () => {
  it('is not followed, if it is a link', async () => {
    writeFileSync(join(folder, 'target'), 'untouched');
    const link = join(folder, 'link');
    symlinkSync(join(folder, 'target'), link);
    expect(await systemFiles.status(link)).toMatchObject({ kind: 'link' });
    for (const create of [true, false]) {
      expect(await refusal(systemFiles.append(link, bytes('x'), { create, sync: false }))).toMatch(
        /ELOOP|EEXIST|EMLINK/,
      );
    }
    expect(await refusal(systemFiles.touch(link))).toMatch(/ELOOP|EMLINK/);
    expect(await refusal(systemFiles.read(link, 0, 1))).toMatch(/ELOOP|EMLINK/);
    expect(await refusal(systemFiles.truncate(link, 0))).toMatch(/ELOOP|EMLINK/);
    expect(readFileSync(join(folder, 'target'), 'utf8')).toBe('untouched');
  });

  it('does not hold anything up, if it is a pipe', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    expect(await systemFiles.status(pipe)).toMatchObject({ kind: 'other' });
    expect(await refusal(systemFiles.append(pipe, bytes('x'), { create: false, sync: false }))).toBe('ENXIO');
  });

  it('has its mode set', async () => {
    const path = join(folder, 'a');
    mkdirSync(path);
    chmodSync(path, 0o755);
    await systemFiles.setMode(path, 0o700);
    expect(await systemFiles.status(path)).toMatchObject({ mode: 0o700, uid: process.geteuid?.() });
  });
});
