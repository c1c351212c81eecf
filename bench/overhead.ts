/**
 * What the library costs: a call, a look, a million exports, a service under load, what is kept.
 *
 *     npm run bench -- [--parts calls,rendering,service,growth,memory] [--rounds 7] [--millis 200]
 *                      [--service-rounds 3] [--seconds 5] [--exports 1000000] [--folder docs]
 *
 * Writes its section of `BENCHMARKS.md`. The parts `growth` and `memory` need `--expose-gc`.
 */
import { parseArgs } from 'node:util';
import { calls } from './overhead/calls.ts';
import { growth } from './overhead/growth.ts';
import { referenceService } from './overhead/reference-service.ts';
import { rendering } from './overhead/rendering.ts';
import { retentionMemory } from './retention-memory.ts';
import { writeSection } from './support/document.ts';

const { values: options } = parseArgs({
  options: {
    parts: { type: 'string', default: 'calls,rendering,service,growth,memory' },
    rounds: { type: 'string', default: '7' },
    millis: { type: 'string', default: '200' },
    exports: { type: 'string', default: '1000000' },
    'service-rounds': { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    folder: { type: 'string' },
  },
});
const effort = { rounds: Number(options.rounds), milliseconds: Number(options.millis) };
const wanted = options.parts.split(',');
const parts: Readonly<Record<string, () => string | Promise<string>>> = {
  calls: () => calls(effort),
  rendering: () => rendering(effort),
  service: () =>
    referenceService({ rounds: Number(options['service-rounds']), seconds: Number(options.seconds) }),
  growth: () => growth(Number(options.exports)),
  memory: retentionMemory,
};

const texts: string[] = [];
for (const [name, part] of Object.entries(parts)) {
  if (!wanted.includes(name)) continue;
  const text = await part();
  console.log(`${text}\n`);
  texts.push(text);
}
const path = writeSection('bench', 'What it costs', texts.join('\n\n'), { folder: options.folder });
console.log(`written to ${path}`);
