import { join } from 'node:path';
import type { Cell } from './cell.ts';
import type { Installer } from './install-app.ts';
import { copyApp, install, managerOf } from './install-app.ts';
import { library } from './library.ts';
import { here } from './places.ts';

/** How each installer says that a peer is out of range, and which one it has found. */
const REFUSALS: ReadonlyMap<Installer, RegExp> = new Map([
  [
    'npm',
    /ERESOLVE[\s\S]*Found: @opentelemetry\/api@(?<api>\S+)[\s\S]*peer @opentelemetry\/api@"\S+" from otel-circuit-breaker/,
  ],
  ['pnpm', /unmet peer @opentelemetry\/api\s+Installed: (?<api>\S+)/],
  ['yarn PnP', /YN0060.*@opentelemetry\/api.* version (?<api>\S+).*otel-circuit-breaker/],
]);

/** The proof that a green cell means something: with an API out of range, the same commands have to fail. */
export function peerCells(): Cell[] {
  return [...REFUSALS].map(([installer, refusal]) => ({
    name: `peers · API 1.2 is refused · ${installer}`,
    async run() {
      const { tarball, manifest } = await library();
      const folder = copyApp(join(here, 'apps', 'old-api'));
      const problem = await install(folder, installer, tarball).then(
        () => 'no error at all',
        (error: Error) => error.message,
      );
      const { api } = refusal.exec(problem)?.groups ?? {};
      if (api === undefined) throw new Error(`${installer} was to refuse API 1.2.0, and said:\n${problem}`);
      const manager = await managerOf(installer, folder);
      return { versions: { api, library: manifest.version, manager }, detail: 'refused, as it has to be' };
    },
  }));
}
