import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Outcome } from '../../examples/demo/acts.ts';
import type { Terminal } from '../../examples/demo/screen.ts';
import { Screen } from '../../examples/demo/screen.ts';
import { broken } from '../../examples/demo/summary.ts';
import type { Child } from '../support/child-process.ts';
import { startNode } from '../support/child-process.ts';
import { waitFor, within } from '../support/wait-for.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const DEMO = `${ROOT}examples/demo/main.ts`;
const ESCAPE = '\u001b';

// The demo imports what users do: the built package.
beforeAll(async () => {
  const built = `${ROOT}dist/index.js`;
  const newest = readdirSync(`${ROOT}src`, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(`${entry.parentPath}/${entry.name}`).mtimeMs);
  if (existsSync(built) && statSync(built).mtimeMs > Math.max(...newest)) return;
  await using build = await startNode(`${ROOT}node_modules/tsup/dist/cli-default.js`, ['--silent'], {
    cwd: ROOT,
  });
  const { code } = await build.exited;
  expect(code, build.errorLines.join('\n')).toBe(0);
}, 120_000);

// One after the other: each has five processes beside it.
describe('the demo', () => {
  it('shows an outage with and without the library, in plain lines where there is no terminal', async () => {
    await using demo = await startNode(DEMO, ['--verbose']);

    const exit = await within(demo.exited, { what: 'the demo to end', timeoutMillis: 58_000 });

    const screen = demo.lines.join('\n');
    expect(exit, screen).toEqual({ code: 0, signal: null });
    expect(demo.errorLines).toEqual([]);
    expect(screen).not.toContain(ESCAPE);
    expect(screen).not.toContain('\r');
    expect(screen).toContain('circuit "traces" opened after 3 failures in a row, last ECONNREFUSED');
    expect(screen).toMatch(/circuit "traces" closed again after [\d.]+ s; 0 items were lost meanwhile/);
    expect(screen).toMatch(/spans that arrived +[\d,]+ +[\d,]+/);
    expect(screen).toMatch(/spans lost +[1-9][\d,]* +0$/m);
    const healths = [...screen.matchAll(/GET \/health\/telemetry: (\d+)/g)].map(([, status]) => status);
    expect(healths).toEqual(['503', '200']);
    expect(screen).toContain('otel_circuit_breaker_state{name="traces",state="closed"} 1');
    expect(demo.lines.at(-2)).toMatch(/SIGTERM to exit, collector down +[\d.]+ s +[\d.]+ s$/);
  });

  it.for(['SIGINT', 'SIGTERM'] as const)(
    'leaves no process behind when it is ended by %s',
    async (signal) => {
      await using demo = await startNode(DEMO);
      const processes = await processesOf(demo);
      expect(processes.length).toBeGreaterThanOrEqual(5);
      expect(processes.filter(alive)).toEqual(processes);

      expect(await demo.kill(signal)).toEqual({ code: null, signal });

      await waitFor(() => !processes.some(alive), {
        what: `the demo's processes to be gone after ${signal}`,
      });
    },
  );

  it('ends with exit code 1, and leaves no process behind, when a service dies', async () => {
    await using demo = await startNode(DEMO);
    const processes = await processesOf(demo);
    for (const pid of processes) process.kill(pid, 'SIGKILL');

    expect(await demo.exited).toEqual({ code: 1, signal: null });

    expect(demo.lines.join('\n')).toContain('The demo broke off: ');
    await waitFor(() => !processes.some(alive), { what: "the demo's processes to be gone" });
  });
});

describe('the promises of the demo', () => {
  const kept: Outcome = {
    without: { made: 10, arrived: 4, lost: 6 },
    guarded: { made: 10, arrived: 10, lost: 0 },
    openedAfterMillis: 9_000,
    closedAfterMillis: 2_000,
    exitMillis: { without: 8_000, guarded: 1_000 },
  };

  it.for<[string, Partial<Outcome>, number]>([
    ['are kept', {}, 0],
    ['are broken where spans are lost with the library', { guarded: { made: 10, arrived: 9, lost: 1 } }, 1],
    ['are broken where nothing is lost without it', { without: { made: 10, arrived: 10, lost: 0 } }, 1],
    ['are broken where the exit is slow', { exitMillis: { without: 8_000, guarded: 9_000 } }, 2],
  ])('%s', ([, change, count]) => {
    expect(broken({ ...kept, ...change })).toHaveLength(count);
  });
});

describe('the screen of the demo', () => {
  function screenOf(terminal: Omit<Terminal, 'write'>, env: NodeJS.ProcessEnv) {
    let written = '';
    const screen = new Screen(
      {
        ...terminal,
        write: (text) => {
          written += text;
        },
      },
      env,
    );
    return { screen, written: () => written };
  }

  it('draws live lines over one another, below what it prints, cut to the width of the terminal', () => {
    const { screen, written } = screenOf({ isTTY: true, columns: 8 }, { NO_COLOR: '1' });

    screen.live('one', 'two is long');
    screen.print('printed');
    screen.live();

    const clear = `\r${ESCAPE}[2K`;
    const clearTwo = `${clear}${ESCAPE}[1A${clear}`;
    expect(written()).toBe(`one\ntwo is ${clearTwo}printed\none\ntwo is ${clearTwo}`);
  });

  it.for([
    { where: 'a terminal', terminal: { isTTY: true }, env: {}, coloured: true, live: true },
    {
      where: 'a terminal with NO_COLOR',
      terminal: { isTTY: true },
      env: { NO_COLOR: '1' },
      coloured: false,
      live: true,
    },
    {
      where: 'a terminal with an empty NO_COLOR',
      terminal: { isTTY: true },
      env: { NO_COLOR: '' },
      coloured: true,
      live: true,
    },
    {
      where: 'a dumb terminal',
      terminal: { isTTY: true },
      env: { TERM: 'dumb' },
      coloured: false,
      live: false,
    },
    { where: 'a file', terminal: {}, env: { FORCE_COLOR: '1' }, coloured: false, live: false },
  ])('in $where: colours $coloured, live lines $live', ({ terminal, env, coloured, live }) => {
    const { screen, written } = screenOf(terminal, env);

    screen.live('live');
    expect(written().includes('live')).toBe(live);
    expect(screen.style('red', 'text') !== 'text').toBe(coloured);
  });
});

/** The processes of a demo that has started its services and its collector. */
async function processesOf(demo: Child): Promise<number[]> {
  await demo.waitForLine('Two services make', { timeoutMillis: 30_000 });
  return childrenOf(demo.pid);
}

/** Its children as the system knows them, where there is a /proc. */
function childrenOf(pid: number): number[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  return existsSync(path) ? (readFileSync(path, 'utf8').match(/\d+/g) ?? []).map(Number) : [];
}

/** Whether a process runs; one that has ended and whose end nobody has taken note of yet (a zombie) does not. */
function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z ');
  } catch {
    return false;
  }
}
