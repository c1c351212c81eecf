import type { Settings } from './settings.ts';
import { DEFAULT_SETTINGS } from './settings.ts';

/** The code that sets an exporter up as in the playground. Defaults are left out. */
export function settingsCode(settings: Settings): string {
  const names = new Set(['CircuitBreakerExporter']);
  const options = [
    ...tripLines(settings, names),
    ...probeLines(settings, names),
    ...retentionLines(settings),
    ...(settings.fallback ? ['fallback: new ConsoleSpanExporter(), // any other exporter'] : []),
  ];
  const otlpOptions =
    settings.timeout === DEFAULT_SETTINGS.timeout ? '' : `{ timeoutMillis: ${millis(settings.timeout)} }`;
  return [
    "import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';",
    ...(settings.fallback ? ["import { ConsoleSpanExporter } from '@opentelemetry/sdk-trace-base';"] : []),
    `import { ${[...names].sort(byName).join(', ')} } from 'otel-circuit-breaker';`,
    '',
    ...construction(`new OTLPTraceExporter(${otlpOptions})`, options),
    '',
  ].join('\n');
}

function construction(inner: string, options: readonly string[]): string[] {
  if (options.length === 0) return [`const exporter = new CircuitBreakerExporter(${inner});`];
  return [
    `const exporter = new CircuitBreakerExporter(${inner}, {`,
    ...options.map((line) => `  ${line}`),
    '});',
  ];
}

function tripLines(settings: Settings, names: Set<string>): string[] {
  const { trip, failures, percent, window, minimum, slower } = settings;
  if (trip === 'consecutive' && failures === DEFAULT_SETTINGS.failures) return [];
  const consecutive = `consecutiveFailures(${failures})`;
  const window_ = `window: { millis: ${millis(window)} }`;
  const threshold = percent === 50 ? '' : `threshold: ${percent / 100}, `;
  const least = minimum === 10 ? '' : `, minimumExports: ${minimum}`;
  const slow = `slowExportRate({ slowerThanMillis: ${millis(slower)}, ${threshold}${window_}${least} })`;
  switch (trip) {
    case 'consecutive':
      names.add('consecutiveFailures');
      return [`tripPolicy: ${consecutive},`];
    case 'rate':
      names.add('failureRate');
      return [`tripPolicy: failureRate({ ${threshold}${window_}${least} }),`];
    case 'slow':
      names.add('slowExportRate');
      return [`tripPolicy: ${slow},`];
    case 'either':
      for (const name of ['anyTrip', 'consecutiveFailures', 'slowExportRate']) names.add(name);
      return ['tripPolicy: anyTrip(', `  ${consecutive},`, `  ${slow},`, '),'];
  }
}

function probeLines({ probe, nth, cooldown, initial, longest }: Settings, names: Set<string>): string[] {
  switch (probe) {
    case 'default':
      return [];
    case 'nth':
      names.add('everyNthAttempt');
      return [`probePolicy: everyNthAttempt(${nth}),`];
    case 'cooldown':
      names.add('afterCooldown');
      return [`probePolicy: afterCooldown(${millis(cooldown)}),`];
    case 'backoff': {
      names.add('exponentialBackoff');
      const options = [
        ...(initial === 1 ? [] : [`initialMillis: ${millis(initial)}`]),
        ...(longest === 60 ? [] : [`maxMillis: ${millis(longest)}`]),
      ];
      return [`probePolicy: exponentialBackoff(${options.length === 0 ? '' : `{ ${options.join(', ')} }`}),`];
    }
  }
}

function retentionLines({ retention, memory, items, pace }: Settings): string[] {
  if (!retention) return [];
  const options = [
    ...(memory === DEFAULT_SETTINGS.memory ? [] : [`maxBytes: ${memory} * 1024 * 1024`]),
    ...(items === DEFAULT_SETTINGS.items ? [] : [`maxItems: ${grouped(items)}`]),
    ...(pace === DEFAULT_SETTINGS.pace ? [] : [`pace: ${pace}`]),
  ];
  return [`retention: ${options.length === 0 ? '{}' : `{ ${options.join(', ')} }`},`];
}

function millis(seconds: number): string {
  return grouped(Math.round(seconds * 1_000));
}

/** `60_000`; the numbers of JavaScript with its separators. */
function grouped(value: number): string {
  return String(value).replaceAll(/\B(?=(\d{3})+$)/g, '_');
}

function byName(a: string, b: string): number {
  return a.localeCompare(b, 'en');
}
