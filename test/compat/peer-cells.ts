import { join } from 'node:path';
import type { Cell } from './cell.ts';
import type { Installer } from './install-app.ts';
import { copyApp, install } from './install-app.ts';
import { library } from './library.ts';
import { here } from './places.ts';

/** How each installer says that a peer is out of range. */
const REFUSALS: ReadonlyMap<Installer, RegExp> = new Map([
  ['npm', /ERESOLVE[\s\S]*peer @opentelemetry\/api@"\S+" from otel-circuit-breaker/],
  ['pnpm', /unmet peer @opentelemetry\/api/],
  ['yarn PnP', /YN0060.*@opentelemetry\/api.*otel-circuit-breaker/],
]);

/** The proof that a green cell means something: with an API out of range, the same commands have to fail. */
export function peerCells(): Cell[] {
  return [...REFUSALS].map(([installer, refusal]) => ({
    name: `peers · API 1.2 is refused · ${installer}`,
    async run() {
      const { tarball, manifest } = await library();
      const problem = await install(copyApp(join(here, 'apps', 'old-api')), installer, tarball).then(
        () => 'no error at all',
        (error: Error) => error.message,
      );
      if (!refusal.test(problem))
        throw new Error(`${installer} was to refuse API 1.2.0, and said:\n${problem}`);
      return { versions: { library: manifest.version }, detail: 'refused, as it has to be' };
    },
  }));
}
