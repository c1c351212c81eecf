/**
 * Records the demo in a terminal, as docs/demo.svg: `npm run build && node examples/demo/record.ts`. Needs asciinema and
 * svg-term-cli, which CI does not: `apt-get install asciinema`, `npm install --global svg-term-cli`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));
const PICTURE = fileURLToPath(new URL('../../docs/demo.svg', import.meta.url));
const COLUMNS = 112;
const ROWS = 30;
/** Every how many seconds the panel moves in the picture: less, and the file grows. */
const FRAME_SECONDS = 0.5;
/** How long the table stays before the picture begins again. */
const LAST_SECONDS = 6;

const folder = mkdtempSync(join(tmpdir(), 'demo-'));
try {
  const cast = join(folder, 'demo.cast');
  const command = `stty cols ${COLUMNS} rows ${ROWS}; ${process.execPath} ${MAIN}`;
  run('asciinema', ['rec', '--quiet', '--overwrite', '--command', command, cast], {
    ...process.env,
    TERM: 'xterm-256color',
  });
  // asciinema ends with 0 whatever the demo ends with.
  if (!/SIGTERM to exit(?!.*is not:)/s.test(readFileSync(cast, 'utf8'))) throw new Error('not a good run');
  const [head = '', ...events] = readFileSync(cast, 'utf8').trimEnd().split('\n');
  const size = { ...(JSON.parse(head) as object), width: COLUMNS, height: ROWS };
  writeFileSync(cast, [JSON.stringify(size), ...thinned(events)].join('\n'));
  run('svg-term', ['--in', cast, '--out', PICTURE, '--window', '--no-cursor'], process.env);
} finally {
  rmSync(folder, { recursive: true });
}

/** The output in fewer events: what is written within a frame comes at once. */
function thinned(events: readonly string[]): string[] {
  const frames = new Map<number, string>();
  for (const event of events) {
    const [seconds, , text] = JSON.parse(event) as [number, string, string];
    const frame = Math.ceil(seconds / FRAME_SECONDS) * FRAME_SECONDS;
    frames.set(frame, (frames.get(frame) ?? '') + text);
  }
  const last = Math.max(...frames.keys()) + LAST_SECONDS;
  return [...frames, [last, ' '] as const].map(([seconds, text]) => JSON.stringify([seconds, 'o', text]));
}

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv): void {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', env });
  if (error !== undefined || status !== 0) throw error ?? new Error(`${command} ended with ${status}`);
}
