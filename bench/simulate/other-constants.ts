/**
 * Gives the library other constants than its own, for the thread that imports this first: `otel-circuit-breaker` is then
 * what stands in `src`, with the values of `workerData.constants` in place of those in the text. For experiments alone:
 * no option can do that.
 */
import { registerHooks } from 'node:module';
import { workerData } from 'node:worker_threads';

/** Values by file and name: `recent-answers.ts:REMEMBERED`. */
export type Constants = Readonly<Record<string, number>>;

const { constants } = workerData as { constants: Constants };
const missing = new Set(Object.keys(constants));

registerHooks({
  resolve: (specifier, context, next) =>
    specifier === 'otel-circuit-breaker'
      ? { url: new URL('../../src/index.ts', import.meta.url).href, shortCircuit: true }
      : next(specifier, context),
  load(url, context, next) {
    const loaded = next(url, context);
    const file = url.slice(url.lastIndexOf('/') + 1);
    const wanted = Object.keys(constants).filter((key) => key.startsWith(`${file}:`));
    if (wanted.length === 0) return loaded;
    let source = String(loaded.source);
    for (const key of wanted) {
      const name = key.slice(file.length + 1);
      const declaration = new RegExp(`^const ${name} = [\\d_]+;$`, 'm');
      if (!declaration.test(source)) throw new Error(`no constant ${name} in ${url}`);
      source = source.replace(declaration, `const ${name} = ${constants[key]};`);
      missing.delete(key);
    }
    return { ...loaded, source };
  },
});

/** @throws Error if a constant was in no file that was loaded: nothing was changed then */
export function allReplaced(): void {
  if (missing.size > 0) throw new Error(`not found: ${[...missing].join(', ')}`);
}
