import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { PROMISES, Promises } from '../../examples/demo/promises.ts';
import type { Terminal } from '../../examples/demo/screen.ts';
import { Screen } from '../../examples/demo/screen.ts';
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

describe('the demo', { concurrent: true }, () => {
  it('keeps its promises within 45 s, and writes plain lines where there is no terminal', async () => {
    await using demo = await startNode(DEMO);

    const exit = await within(demo.exited, { what: 'the demo to end', timeoutMillis: 58_000 });

    const screen = demo.lines.join('\n');
    expect(exit, screen).toEqual({ code: 0, signal: null });
    expect(demo.errorLines).toEqual([]);
    expect(screen).not.toContain(ESCAPE);
    expect(screen).not.toContain('\r');
    expect(screen).not.toContain('✗');
    for (const promise of Object.values(PROMISES)) expect(screen).toContain(`  ✓ ${promise}`);
    expect(screen).toMatch(/without retention: \d+ spans made, \d+ arrived at the collector: lost [1-9]/);
    expect(screen).toMatch(/with retention: (\d+) spans made, \1 arrived at the collector: lost 0$/m);
    expect(screen).toContain('CLOSED -> OPEN  after 3 failures in a row');
    // Each of three outages; a probe may be in flight when it is asked.
    const healths = [...screen.matchAll(/ health (\d+ \{"status":"\w+"),"circuit_breaker":\{"name":"otlp"/g)];
    const outage = ['200 {"status":"healthy"', '503 {"status":"unhealthy"', '200 {"status":"healthy"'];
    expect(healths.map(([, health]) => health)).toEqual([...outage, ...outage, ...outage]);
    expect(screen).toContain('otel_circuit_breaker_state{name="otlp",state="closed"} 1');
    const seconds = /All promises kept, in ([\d.]+) s\.$/.exec(screen)?.[1];
    expect(Number(seconds)).toBeLessThan(45);
  });

  it.for(['SIGINT', 'SIGTERM'] as const)(
    'leaves no process behind when it is ended by %s',
    async (signal) => {
      await using demo = await startNode(DEMO);
      const processes = await processesOf(demo);
      expect(processes.length).toBeGreaterThanOrEqual(3);
      expect(processes.filter(alive)).toEqual(processes);

      expect(await demo.kill(signal)).toEqual({ code: null, signal });

      await waitFor(() => !processes.some(alive), {
        what: `the demo's processes to be gone after ${signal}`,
      });
    },
  );

  it('ends with exit code 1, crosses and no process left when what it promises does not happen', async () => {
    await using demo = await startNode(DEMO);
    const processes = await processesOf(demo);
    process.kill(processes[0] as number, 'SIGKILL');

    expect(await demo.exited).toEqual({ code: 1, signal: null });

    expect(demo.lines.at(-1)).toContain('A promise was BROKEN');
    expect(demo.lines.join('\n')).toContain(`  ✗ ${PROMISES.health}`);
    expect(demo.lines.join('\n')).toContain(`  ✗ ${PROMISES.losesNothingWith}`);
    expect(demo.lines.join('\n')).toMatch(/The demo broke off: .*the service "without retention" has ended/);
    await waitFor(() => !processes.some(alive), { what: "the demo's processes to be gone" });
  });
});

describe('the promises of the demo', () => {
  it('are broken until they are kept, and kept only if they are each time', () => {
    const promises = new Promises();
    expect(promises.allKept).toBe(false);

    for (const name of Object.keys(PROMISES) as (keyof typeof PROMISES)[]) promises.see(name, true);
    expect(promises.allKept).toBe(true);

    promises.see('health', false);
    promises.see('health', true);
    expect(promises.allKept).toBe(false);
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

/** The processes of a demo that has started its services and its collector, the first service first. */
async function processesOf(demo: Child): Promise<number[]> {
  const services = /the processes (\d+) and (\d+);/.exec(
    await demo.waitForLine('The services are', { timeoutMillis: 30_000 }),
  );
  const collector = /the collector is started, as process (\d+)/.exec(
    await demo.waitForLine('the collector is started', { timeoutMillis: 40_000 }),
  );
  const named = [services?.[1], services?.[2], collector?.[1]].map(Number);
  return [...new Set([...named, ...childrenOf(demo.pid)])];
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
