import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { startChild, startNode } from '../support/child-process.ts';
import { deadPort } from '../support/dead-port.ts';
import { numberedSpans } from '../support/numbered-spans.ts';
import { IMPATIENT, protocols, send } from '../support/otlp-exporters.ts';
import { missingNumbers } from '../support/receiver/seen.ts';
import { startReceiver } from '../support/receiver-process.ts';
import { waitFor } from '../support/wait-for.ts';

describe.for(protocols)('a receiver process of $name', { concurrent: true }, (protocol) => {
  it('can be SIGKILLed and restarted on its port, and still knows what it received', async () => {
    await using receiver = await startReceiver({ protocol: protocol.server });
    const first = receiver.pid;
    expect(await send(protocol, receiver, numberedSpans(1, 3))).toMatchObject({ code: 0 });

    expect(await receiver.kill('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
    expect(await send(protocol, receiver, numberedSpans(4, 3), IMPATIENT)).toMatchObject({ code: 1 });
    expect(await receiver.stats()).toMatchObject({ seen: [[1, 3, 1]], pid: first });
    await receiver.restart();
    expect(await send(protocol, receiver, numberedSpans(3, 4))).toMatchObject({ code: 0 });

    const stats = await receiver.stats();
    expect(stats).toMatchObject({ starts: 2, spans: 7, distinct: 6, duplicates: 1 });
    expect(stats.pid).not.toBe(first);
  });

  it('can be stopped and continued', async () => {
    await using receiver = await startReceiver({ protocol: protocol.server });

    await receiver.stop();
    expect(await send(protocol, receiver, numberedSpans(1, 3), IMPATIENT)).toMatchObject({ code: 1 });
    expect(await receiver.stats()).toMatchObject({ requests: 0 });
    receiver.cont();

    expect(await send(protocol, receiver, numberedSpans(4, 3))).toMatchObject({ code: 0 });
    const { seen } = await receiver.stats();
    expect(missingNumbers(seen, 4, 6)).toEqual([]);
  });
});

describe.concurrent('a receiver process', () => {
  it('dies with a harness that is killed in any way, also while it is stopped', async () => {
    const harness = `
      import { startReceiver } from ${JSON.stringify(new URL('../support/receiver-process.ts', import.meta.url).href)};
      const [running, stopped] = await Promise.all([startReceiver({ protocol: 'http' }), startReceiver({ protocol: 'http' })]);
      await stopped.stop();
      console.log(JSON.stringify([running.pid, stopped.pid]));
    `;
    for (const signal of ['SIGKILL', 'SIGTERM', 'SIGINT'] as const) {
      await using child = await startChild(process.execPath, ['--input-type=module', '--eval', harness]);
      const pids = JSON.parse(await child.waitForLine('[')) as number[];
      expect(pids.map(alive)).toEqual([true, true]);

      expect(await child.kill(signal)).toEqual({ code: null, signal });

      await waitFor(() => !pids.some(alive), { what: `the receivers to be gone after ${signal}` });
    }
  });
});

describe.concurrent('the helpers', () => {
  it('hold a port on which nobody listens and nobody can', async () => {
    await using dead = await deadPort();
    await expect(fetch(dead.url)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } });
    await expect(startReceiver({ protocol: 'http', port: dead.port })).rejects.toThrow('EADDRINUSE');
  });

  it('say why a child ended without the line that was waited for', async () => {
    await using child = await startNode('/no/such/script.js');
    await expect(child.waitForLine('ready')).rejects.toThrow(
      /ended \(1\) without a line ready; its stderr:.*MODULE_NOT_FOUND/s,
    );
  });

  it('say what was waited for in vain', async () => {
    await expect(waitFor(() => false, { what: 'godot', timeoutMillis: 20 })).rejects.toThrow(
      'waited 20 ms in vain for godot; last answer: false',
    );
  });
});

/** Whether a process runs; one that has ended and whose end nobody has taken note of yet (a zombie) does not. */
function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z ');
  } catch {
    return false;
  }
}
