const PROTOCOLS = ['grpc', 'http/protobuf', 'http/json'];

/** What `.env.example` explains. A bad value is one warning, and the default stands: a typo must not stop the service. */
export const settings = readSettings(process.env, console.warn);

export function readSettings(env, warn) {
  const text = (variable) => env[variable]?.trim() ?? '';
  const number = (variable, standard, { least, most = Number.MAX_SAFE_INTEGER, whole = true }) => {
    if (text(variable) === '') return standard;
    const value = Number(text(variable));
    if (value >= least && value <= most && (!whole || Number.isInteger(value))) return value;
    const range = `${whole ? 'a whole number' : 'a number'} from ${least} to ${most}`;
    warn(`${variable} must be ${range}, got ${JSON.stringify(env[variable])}; ${standard} stands`);
    return standard;
  };
  const endpoint = () => {
    const value = text('APP_OTEL__EXPORTER_ENDPOINT').replace(/\/+$/, '');
    if (value === '' || /^https?:$/.test(URL.parse(value)?.protocol)) return value;
    // Without the value: it may hold credentials.
    warn('APP_OTEL__EXPORTER_ENDPOINT must be an http or https URL; traces are not exported');
    return '';
  };
  const protocol = () => {
    const value = text('OTEL_EXPORTER_OTLP_PROTOCOL') || 'grpc';
    if (PROTOCOLS.includes(value)) return value;
    const got = JSON.stringify(value);
    warn(`OTEL_EXPORTER_OTLP_PROTOCOL must be one of ${PROTOCOLS.join(', ')}, got ${got}; grpc stands`);
    return 'grpc';
  };
  return {
    host: text('HOST') || undefined,
    port: number('PORT', 3000, { least: 0, most: 65_535 }),
    exporterEndpoint: endpoint(),
    exporterProtocol: protocol(),
    serviceName: text('APP_OTEL__SERVICE_NAME') || 'node-service',
    sampleRate: number('APP_OTEL__SAMPLE_RATE', 1, { least: 0, most: 1, whole: false }),
    metricsRequestsPerMinute: number('APP_METRICS_REQUESTS_PER_MINUTE', 5, { least: 1 }),
    trustedProxies: number('TRUST_PROXY', 0, { least: 0 }),
    adminToken: text('APP_ADMIN_TOKEN'),
  };
}
