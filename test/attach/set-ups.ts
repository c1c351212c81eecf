import { join } from 'node:path';
import type { NodeMajor } from '../compat/lines.ts';
import { bundledApp, emptyApp, npmApp, pnpmApp, versionsOf, volume } from './install.ts';

/** A way in which services get OpenTelemetry, with attach added to it. */
export interface SetUp {
  readonly name: string;
  readonly node: NodeMajor;
  /** The folder that the service runs in, and what it is started with. */
  prepare(): Promise<Preparation>;
  /** Names of the exporters that attach has to find. */
  readonly exporters: readonly string[];
  /** What the distribution does at SIGTERM, and how long that takes at least without attach. */
  readonly atSigterm: { readonly bareMillis: number } | 'nothing' | 'gives up by itself';
  readonly env?: (receiverUrl: string) => NodeJS.ProcessEnv;
}

/** How a service is started. */
export interface Preparation {
  readonly cwd: string;
  /** Before and after attach. */
  readonly before: readonly string[];
  readonly attach: readonly string[];
  readonly after: readonly string[];
  readonly main: string;
  readonly versions: Readonly<Record<string, string>>;
}

const ATTACH = 'otel-circuit-breaker/attach';
const REGISTER = '@opentelemetry/auto-instrumentations-node/register';
const ALL = ['traces', 'metrics', 'logs'];
/** Longer than 5 s: the retries of the OTLP exporters. */
const SLOW = { bareMillis: 5_000 };

const AUTO = {
  'auto-instrumentations-node': '@opentelemetry/auto-instrumentations-node',
  sdk: '@opentelemetry/core',
  api: '@opentelemetry/api',
};

type Flag = '--require' | '--import';

function register(
  app: 'auto-2' | 'auto-3',
  node: NodeMajor,
  flag: Flag,
  place: 'first' | 'last',
  main = 'app.cjs',
): SetUp {
  return {
    name: `auto-instrumentations-node ${app.slice(-1)}.x · ${flag}, attach ${place} · ${main.endsWith('.mjs') ? 'ESM' : 'CommonJS'} · Node ${node}`,
    node,
    exporters: ALL,
    atSigterm: SLOW,
    async prepare() {
      const preload = [flag, REGISTER];
      return {
        cwd: await npmApp(app),
        before: place === 'last' ? preload : [],
        attach: [flag, ATTACH],
        after: place === 'first' ? preload : [],
        main,
        versions: await versionsOf(app, AUTO),
      };
    },
  };
}

interface ByHand {
  readonly title: string;
  readonly app: string;
  readonly node: NodeMajor;
  readonly main: string;
  readonly exporters?: readonly string[];
  readonly atSigterm?: SetUp['atSigterm'];
  readonly env?: SetUp['env'];
  readonly flag?: Flag;
  readonly packages?: Readonly<Record<string, string>>;
}

/** The application sets it up. */
function inCode({
  title,
  app,
  node,
  main,
  exporters = ALL,
  atSigterm = SLOW,
  env,
  flag = '--import',
  packages,
}: ByHand): SetUp {
  return {
    name: `${title} · Node ${node}`,
    node,
    exporters,
    atSigterm,
    ...(env !== undefined && { env }),
    async prepare() {
      const versions = await versionsOf(
        app,
        packages ?? { sdk: '@opentelemetry/core', api: '@opentelemetry/api' },
      );
      return { cwd: await npmApp(app), before: [], attach: [flag, ATTACH], after: [], main, versions };
    },
  };
}

interface Distribution {
  readonly title: string;
  readonly app: string;
  readonly preload: readonly [Flag, string];
  readonly packageName: string;
  readonly exporters?: readonly string[];
  readonly atSigterm: SetUp['atSigterm'];
  readonly env?: SetUp['env'];
}

/** A distribution sets it up, before the application begins. */
function distribution({
  title,
  app,
  preload,
  packageName,
  exporters = ALL,
  atSigterm,
  env,
}: Distribution): SetUp {
  const node = 24;
  return {
    name: `${title} · Node ${node}`,
    node,
    exporters,
    atSigterm,
    ...(env !== undefined && { env }),
    async prepare() {
      const versions = await versionsOf(app, { distribution: packageName, api: '@opentelemetry/api' });
      return {
        cwd: await npmApp(app),
        before: preload,
        attach: [preload[0], ATTACH],
        after: [],
        main: 'app.cjs',
        versions,
      };
    },
  };
}

/** As the OpenTelemetry Operator lays things out: three folders, and an application without any package. */
const operator: SetUp = {
  name: 'operator layout: SDK, attach and application in three folders · Node 22',
  node: 22,
  exporters: ALL,
  atSigterm: SLOW,
  async prepare() {
    const [sdk, own, cwd] = await Promise.all([npmApp('auto-2'), volume(), emptyApp()]);
    return {
      cwd,
      before: [
        '--require',
        join(sdk, 'node_modules', REGISTER.replace('/register', ''), 'build', 'src', 'register.js'),
      ],
      attach: ['--require', join(own, 'node_modules', 'otel-circuit-breaker', 'dist', 'attach.cjs')],
      after: [],
      main: 'app.cjs',
      versions: await versionsOf('auto-2', AUTO),
    };
  },
};

const pnpm: SetUp = {
  ...register('auto-2', 24, '--import', 'last'),
  name: 'auto-instrumentations-node 2.x · pnpm, isolated · Node 24',
  async prepare() {
    return {
      cwd: await pnpmApp('auto-2'),
      before: ['--import', REGISTER],
      attach: ['--import', ATTACH],
      after: [],
      main: 'app.cjs',
      versions: await versionsOf('auto-2', AUTO),
    };
  },
};

const bundle: SetUp = {
  name: 'NodeSDK 2.12 and application bundled by esbuild, minified · Node 24',
  node: 24,
  exporters: ALL,
  atSigterm: SLOW,
  async prepare() {
    const [cwd, own] = await Promise.all([bundledApp('sdk-2.12'), volume()]);
    return {
      cwd,
      before: [],
      attach: ['--import', join(own, 'node_modules', 'otel-circuit-breaker', 'dist', 'attach.js')],
      after: [],
      main: 'bundle.cjs',
      versions: await versionsOf('sdk-2.12', { sdk: '@opentelemetry/core', api: '@opentelemetry/api' }),
    };
  },
};

export const setUps: readonly SetUp[] = [
  register('auto-2', 20, '--require', 'last'),
  register('auto-2', 22, '--import', 'first'),
  register('auto-2', 24, '--require', 'first'),
  register('auto-2', 24, '--require', 'last', 'app.mjs'),
  register('auto-2', 24, '--import', 'first', 'app.mjs'),
  register('auto-2', 24, '--import', 'last'),
  register('auto-3', 22, '--require', 'last'),
  register('auto-3', 24, '--require', 'first'),
  register('auto-3', 24, '--import', 'first'),
  register('auto-3', 24, '--import', 'last', 'app.mjs'),
  // It does not retry where nobody listens: its shutdown is quick without attach.
  inCode({
    title: 'NodeSDK 1.30 · CommonJS',
    app: 'sdk-1.30',
    node: 20,
    main: 'node-sdk.cjs',
    flag: '--require',
    exporters: ['traces', 'logs'],
    atSigterm: 'gives up by itself',
  }),
  inCode({
    title: 'NodeSDK 2.12 · CommonJS',
    app: 'sdk-2.12',
    node: 20,
    main: 'node-sdk.cjs',
    flag: '--require',
  }),
  inCode({ title: 'NodeSDK 2.12 · ESM', app: 'sdk-2.12', node: 24, main: 'node-sdk.mjs' }),
  inCode({
    title: 'NodeSDK 3.1 · CommonJS',
    app: 'sdk-3.1',
    node: 22,
    main: 'node-sdk.cjs',
    flag: '--require',
  }),
  inCode({ title: 'NodeSDK 3.1 · ESM', app: 'sdk-3.1', node: 24, main: 'node-sdk.mjs' }),
  inCode({
    title: 'startNodeSDK 3.1, configuration file · ESM',
    app: 'sdk-3.1',
    node: 24,
    main: 'start-node-sdk.mjs',
    exporters: ['traces', 'logs'],
    env: () => ({ OTEL_CONFIG_FILE: 'otel.yaml' }),
  }),
  operator,
  pnpm,
  bundle,
  inCode({
    title: '@vercel/otel, the SDK inlined · ESM',
    app: 'vercel',
    node: 24,
    main: 'vercel.mjs',
    // The first hands spans to Vercel's runtime; there is none here.
    exporters: ['traces', 'traces#2'],
    atSigterm: 'nothing',
    packages: { distribution: '@vercel/otel', api: '@opentelemetry/api' },
  }),
  distribution({
    title: 'Elastic EDOT',
    app: 'edot',
    preload: ['--import', '@elastic/opentelemetry-node'],
    packageName: '@elastic/opentelemetry-node',
    atSigterm: SLOW,
  }),
  distribution({
    title: 'AWS ADOT',
    app: 'adot',
    preload: ['--require', '@aws/aws-distro-opentelemetry-node-autoinstrumentation/register'],
    packageName: '@aws/aws-distro-opentelemetry-node-autoinstrumentation',
    atSigterm: SLOW,
  }),
  distribution({
    title: 'Splunk',
    app: 'splunk',
    preload: ['--require', '@splunk/otel/instrument'],
    packageName: '@splunk/otel',
    exporters: ['traces'],
    atSigterm: 'nothing',
  }),
  distribution({
    title: 'Dash0',
    app: 'dash0',
    preload: ['--require', '@dash0/opentelemetry'],
    packageName: '@dash0/opentelemetry',
    // It stops waiting after 500 ms.
    atSigterm: 'gives up by itself',
    env: (url) => ({ DASH0_OTEL_COLLECTOR_BASE_URL: url, DASH0_FLUSH_ON_SIGTERM_SIGINT: 'true' }),
  }),
];
