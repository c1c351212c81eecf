import { cpSync, existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { onceForEach } from './cell.ts';
import { must } from './command.ts';
import { library } from './library.ts';
import type { SdkLine } from './lines.ts';
import { here } from './places.ts';
import { newFolder } from './scratch.ts';
import { tools } from './tools.ts';

/** How an app is installed. */
export type Installer = (typeof installers)[number];
export const installers = ['npm', 'pnpm', 'yarn node_modules', 'yarn PnP'] as const;

/** An app with the library in it. */
export interface InstalledApp {
  readonly folder: string;
  /** For example `npm 11.19.1`. */
  readonly manager: string;
  /** What Node needs to be told before the script. */
  readonly nodeArgs: readonly string[];
}

/** Installs the app of a line as its lock file says, and then the tarball into it. */
export function installApp(line: SdkLine, installer: Installer): Promise<InstalledApp> {
  return installed(`${installer}:${line.app}`);
}

const installed = onceForEach(async (key: string): Promise<InstalledApp> => {
  const installer = key.slice(0, key.indexOf(':')) as Installer;
  const app = key.slice(key.indexOf(':') + 1);
  const { tarball } = await library();
  const folder = copyApp(app);
  return install(folder, installer, tarball);
});

/** A copy of an app, with what all apps run, outside the checkout. */
export function copyApp(app: string): string {
  const folder = newFolder(basename(app));
  cpSync(app, folder, { recursive: true });
  cpSync(join(here, 'in-app'), folder, { recursive: true });
  return folder;
}

const QUIET = ['--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'];
/** The user's own npmrc may say otherwise. */
const STRICT = ['--strict-peer-deps', '--legacy-peer-deps=false', '--force=false'];

/** Installs an app, and the tarball into it; fails when a peer is missing or out of range. */
export async function install(folder: string, installer: Installer, tarball: string): Promise<InstalledApp> {
  switch (installer) {
    case 'npm': {
      const command = existsSync(join(folder, 'package-lock.json')) ? 'ci' : 'install';
      await must('npm', [command, ...STRICT, ...QUIET], { cwd: folder });
      await npmInstall(folder, tarball);
      return { folder, manager: await managerOf(installer, folder), nodeArgs: [] };
    }
    case 'pnpm': {
      const pnpm = [await pnpmScript()];
      await must(process.execPath, [...pnpm, 'install', '--frozen-lockfile', '--prefer-offline'], {
        cwd: folder,
      });
      await must(process.execPath, [...pnpm, 'add', tarball, '--prefer-offline'], { cwd: folder });
      // `strictPeerDependencies` is only a warning to `pnpm add`.
      await must(process.execPath, [...pnpm, 'peers', 'check'], { cwd: folder });
      return { folder, manager: await managerOf(installer, folder), nodeArgs: [] };
    }
    default: {
      const yarn = [await yarnScript()];
      const linker = linkerOf(installer);
      const options = {
        cwd: folder,
        env: { YARN_NODE_LINKER: linker, YARN_ENABLE_IMMUTABLE_INSTALLS: 'false' },
      };
      await must(process.execPath, [...yarn, 'install', '--immutable', '--mode=skip-build'], options);
      await must(process.execPath, [...yarn, 'add', `otel-circuit-breaker@file:${tarball}`], options);
      const manager = await managerOf(installer, folder);
      return { folder, manager, nodeArgs: linker === 'pnp' ? PNP : [] };
    }
  }
}

/** What installs: `npm 11.19.1`, `yarn 4.18.1 pnp`. */
export async function managerOf(installer: Installer, cwd: string): Promise<string> {
  switch (installer) {
    case 'npm':
      return `npm ${await version('npm', [], cwd)}`;
    case 'pnpm':
      return `pnpm ${await version(process.execPath, [await pnpmScript()], cwd)}`;
    default:
      return `yarn ${await version(process.execPath, [await yarnScript()], cwd)} ${linkerOf(installer)}`;
  }
}

/** What an app is made of, where npm has put it. */
export function installedVersions(folder: string): Record<string, string> {
  const versionOf = (name: string): string =>
    JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')).version;
  return {
    sdk: versionOf('@opentelemetry/core'),
    api: versionOf('@opentelemetry/api'),
    exporter: versionOf('@opentelemetry/exporter-trace-otlp-http'),
    library: versionOf('otel-circuit-breaker'),
  };
}

/** What `yarn node` says to Node. */
const PNP = ['--require', './.pnp.cjs', '--experimental-loader', './.pnp.loader.mjs', '--no-warnings'];

/**
 * Puts the library into an app, with all peers checked. It cannot be in the app's lock file: its integrity changes with
 * every build.
 */
export function npmInstall(folder: string, tarball: string): Promise<string> {
  return must('npm', ['install', tarball, '--no-save', ...STRICT, ...QUIET], { cwd: folder });
}

async function pnpmScript(): Promise<string> {
  return join(await tools(), 'pnpm', 'bin', 'pnpm.mjs');
}

async function yarnScript(): Promise<string> {
  return join(await tools(), '@yarnpkg', 'cli-dist', 'bin', 'yarn.js');
}

function linkerOf(installer: Installer): 'pnp' | 'node-modules' {
  return installer === 'yarn PnP' ? 'pnp' : 'node-modules';
}

async function version(command: string, args: readonly string[], cwd: string): Promise<string> {
  return (await must(command, [...args, '--version'], { cwd })).trim();
}
