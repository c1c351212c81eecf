/**
 * Plays the demo and draws its outage, as docs/outage.svg: `npm run build && node examples/demo/draw-outage.ts`.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Outcome } from './acts.ts';
import { play } from './acts.ts';
import { Screen } from './screen.ts';
import type { ServiceReport } from './service-protocol.ts';
import { Stage } from './stage.ts';
import { broken } from './summary.ts';

const PICTURE = fileURLToPath(new URL('../../docs/outage.svg', import.meta.url));
const SAMPLE_EVERY_MILLIS = 100;
const [WIDTH, HEIGHT, LEFT, TOP, GAP] = [380, 190, 10, 50, 20];

interface Sample {
  readonly seconds: number;
  readonly down: boolean;
  readonly without: ServiceReport;
  readonly guarded: ServiceReport;
}

const stage = await Stage.set(new Screen(process.stdout, process.env), false);
const samples: Sample[] = [];
const sample = (): void => {
  const { seconds, collector, without, guarded } = stage;
  samples.push({ seconds, down: !collector.running, without: without.report, guarded: guarded.report });
};
const sampling = setInterval(sample, SAMPLE_EVERY_MILLIS);
const outcome = await play(stage, false);
clearInterval(sampling);
sample();
await stage.clear();
const problems = broken(outcome);
if (problems.length > 0) throw new Error(`not so: ${problems.join('; ')}`);
writeFileSync(PICTURE, picture(samples, outcome));
process.exit();

/** Legible on a light and on a dark page. */
function picture(samples: readonly Sample[], { exitMillis, without, guarded }: Outcome): string {
  const title = `In an outage of the collector, the service without the library loses ${count(without.lost)} of ${count(without.made)} spans, the one with it ${guarded.lost} of ${count(guarded.made)}.`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 300" role="img" font-family="sans-serif" font-size="13">
<title>${title}</title>
<style>
text { fill: #24292f } .down { fill: #6e7781; opacity: .15 } .made { stroke: #6e7781; stroke-dasharray: 4 3 } .delivered { stroke: #1a7f37 }
.kept { stroke: #9a6700 } .lost { stroke: #cf222e } path { fill: none; stroke-width: 2 } .axis { stroke: #6e7781; stroke-width: 1 } .head { font-weight: bold }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .made, .axis { stroke: #9198a1 } .delivered { stroke: #3fb950 } .kept { stroke: #d29922 } .lost { stroke: #f85149 } .down { fill: #9198a1; opacity: .25 } }
</style>
${panel(samples, 'without', LEFT, 'Without the library', `${count(without.lost)} spans lost · SIGTERM to exit ${seconds(exitMillis.without)}`)}
${panel(samples, 'guarded', LEFT + WIDTH + GAP, 'With the library', `${guarded.lost} spans lost · SIGTERM to exit ${seconds(exitMillis.guarded)}`)}
${legend()}
</svg>
`;
}

function panel(
  samples: readonly Sample[],
  which: 'without' | 'guarded',
  left: number,
  head: string,
  result: string,
): string {
  const end = samples.at(-1)?.seconds ?? 1;
  const most = Math.max(...samples.map((sample) => Math.max(sample.without.made, sample.guarded.made)));
  const x = (at: number) => ((at / end) * WIDTH).toFixed(1);
  const y = (spans: number) => (HEIGHT - (spans / most) * HEIGHT).toFixed(1);
  const line = (key: 'made' | 'delivered' | 'kept' | 'lost') => {
    const points = samples.map((sample) => `${x(sample.seconds)} ${y(sample[which][key])}`);
    return `<path class="${key}" d="M${points.join('L')}"/>`;
  };
  const down = samples.filter((sample) => sample.down);
  const [from, to] = [down[0]?.seconds ?? 0, down.at(-1)?.seconds ?? 0];
  return `<text class="head" x="${left}" y="18">${head}</text><text x="${left}" y="38">${result}</text>
<g transform="translate(${left} ${TOP})">
<rect class="down" x="${x(from)}" y="0" width="${x(to - from)}" height="${HEIGHT}"/>
<text x="${x((from + to) / 2)}" y="16" text-anchor="middle">collector down, ${seconds((to - from) * 1_000)}</text>
${(['made', 'delivered', 'kept', 'lost'] as const).map(line).join('\n')}
<path class="axis" d="M0 ${HEIGHT}H${WIDTH}"/>
</g>`;
}

function legend(): string {
  const entries = [
    ['made', 'spans made'],
    ['delivered', 'delivered'],
    ['kept', 'kept in memory'],
    ['lost', 'lost'],
  ];
  return entries
    .map(([key, text], n) => {
      const left = LEFT + n * 150;
      return `<path class="${key}" d="M${left} 270h24"/><text x="${left + 32}" y="275">${text}</text>`;
    })
    .join('\n');
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

function seconds(millis: number): string {
  return `${(millis / 1_000).toFixed(1)} s`;
}
