import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startChild } from '../support/child-process.ts';
import { startReceiver } from '../support/receiver-process.ts';
import { within } from '../support/wait-for.ts';
import { startService, temporaryDirectory } from './run-service.ts';
import type { ServiceOptions } from './service-options.ts';

const isRoot = process.geteuid?.() === 0;
const NOBODY = 65_534;
const AS_NOBODY = ['setpriv', '--reuid', String(NOBODY), '--regid', String(NOBODY), '--clear-groups'];

async function keepSome(
  options: Omit<ServiceOptions, 'firstSpan' | 'batchSize' | 'everyMillis'>,
  before: readonly string[] = [],
) {
  await using service = await startService(
    { ...options, firstSpan: 0, batchSize: 5, everyMillis: 50 },
    before,
  );
  await service.waitForLine('accepted 5', { timeoutMillis: 30_000 });
  await service.kill('SIGKILL');
  return service.logs().filter((line) => !line.startsWith('info') && line.includes('disk store'));
}

const quiet = { firstSpan: 1_000, batchSize: 5, everyMillis: 50 };

describe('what is not safely ours is refused in words that say what to do, and the service goes on', () => {
  it('a folder that is a link', async () => {
    using directory = temporaryDirectory();
    await using receiver = await startReceiver({ protocol: 'http', mode: 'status:500' });
    const options = { directory: join(directory.path, 'spool'), url: receiver.endpoint('traces') };
    expect(await keepSome(options)).toEqual([]);
    const [name = ''] = readdirSync(options.directory);
    const path = join(options.directory, name);
    renameSync(path, join(directory.path, 'elsewhere'));
    symlinkSync(join(directory.path, 'elsewhere'), path);
    await using service = await startService({ ...options, ...quiet });
    const line = await service.waitForLine('is a symbolic link', { timeoutMillis: 30_000 });
    expect(line).toContain(
      `${path} is a symbolic link and is left alone: delete it, or put the folder itself there`,
    );
    expect(line).toMatch(/^log error /);
    await service.waitForLine('accepted 1005', { timeoutMillis: 30_000 });
    expect(readdirSync(join(directory.path, 'elsewhere')).sort()).toEqual(['00000001.seg', 'alive']);
  });

  it('a path with a file in it', async () => {
    using directory = temporaryDirectory();
    await using receiver = await startReceiver({ protocol: 'http', mode: 'status:500' });
    const path = join(directory.path, 'file');
    writeFileSync(path, '');
    await using service = await startService({ directory: path, url: receiver.endpoint('traces'), ...quiet });
    const line = await service.waitForLine('is not a directory', { timeoutMillis: 30_000 });
    expect(line).toContain(`${path} is not a directory: remove the file, or give another directory`);
    await service.waitForLine('accepted 1005', { timeoutMillis: 30_000 });
  });

  it.runIf(isRoot)('a folder of another user', async () => {
    using directory = temporaryDirectory();
    await using receiver = await startReceiver({ protocol: 'http', mode: 'status:500' });
    const options = { directory: join(directory.path, 'spool'), url: receiver.endpoint('traces') };
    await keepSome(options);
    const [name = ''] = readdirSync(options.directory);
    const path = join(options.directory, name);
    chownSync(path, NOBODY, NOBODY);
    await using service = await startService({ ...options, ...quiet });
    const line = await service.waitForLine('belongs to user', { timeoutMillis: 30_000 });
    expect(line).toContain(
      `${path} belongs to user ${NOBODY}, and this process runs as user 0: it is left alone; chown it, or delete it`,
    );
    await service.waitForLine('accepted 1005', { timeoutMillis: 30_000 });
  });
});

it.each(['works', 'cannot be used'])('a disk that %s keeps no process alive', async (which) => {
  using directory = temporaryDirectory();
  const path = join(directory.path, 'spool');
  if (which !== 'works') writeFileSync(path, '');
  const of = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href);
  // No shutdown(), no close(): the timers of the heartbeat and of the next look go on.
  const script = `
    import { diskStore } from ${of('../../src/disk/index.ts')};
    import { numberedSpans } from ${of('../support/numbered-spans.ts')};
    const store = diskStore({ directory: ${JSON.stringify(path)} });
    await store.open({ name: 'traces', onFound() {} }).catch(() => {});
    console.log(await store.put({ id: 'a', items: 1, keptAt: Date.now() }, numberedSpans(0, 1)));
  `;
  await using child = await startChild(process.execPath, ['--input-type=module', '--eval', script]);
  await child.waitForLine('[]', { timeoutMillis: 60_000 });
  expect(await within(child.exited, { what: 'the process to end', timeoutMillis: 8_000 })).toEqual({
    code: 0,
    signal: null,
  });
});

describe('a parent that is not ours', () => {
  it.runIf(isRoot)(
    "like an emptyDir, root's and 0777, with a process of another user: works, with one warning",
    async () => {
      using directory = temporaryDirectory();
      chmodSync(directory.path, 0o755);
      const path = join(directory.path, 'emptyDir');
      mkdirSync(path);
      chmodSync(path, 0o777);
      await using receiver = await startReceiver({ protocol: 'http', mode: 'status:500' });
      const options = { directory: path, url: receiver.endpoint('traces') };
      const warning = `warn disk store of exporter "traces": ${path} belongs to user 0, not to ${NOBODY}, and has mode 0777: whoever may write to it can delete what is kept there`;
      expect(await keepSome(options, AS_NOBODY)).toEqual([warning]);
      const [name = ''] = readdirSync(path);
      const folder = join(path, name);
      expect(statSync(folder)).toMatchObject({ uid: NOBODY, mode: 0o40700 });
      expect(statSync(join(folder, '00000001.seg'))).toMatchObject({ uid: NOBODY, mode: 0o100600 });
      await using next = await startService({ ...options, ...quiet }, AS_NOBODY);
      await next.waitForLine('took over', { timeoutMillis: 30_000 });
      expect(next.logs().filter((line) => line.startsWith('warn disk'))).toEqual([warning]);
    },
  );

  it.runIf(isRoot)('and may not be written to: one warning, and memory', async () => {
    using directory = temporaryDirectory();
    chmodSync(directory.path, 0o755);
    await using receiver = await startReceiver({ protocol: 'http', mode: 'status:500' });
    const options = { directory: join(directory.path, 'spool'), url: receiver.endpoint('traces') };
    expect(await keepSome(options, AS_NOBODY)).toEqual([
      expect.stringMatching(
        /^warn disk store of exporter "traces": the disk cannot be used: EACCES: permission denied/,
      ),
    ]);
  });
});
