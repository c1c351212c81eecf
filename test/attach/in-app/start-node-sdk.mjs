/** A service whose SDK is configured by the file that OTEL_CONFIG_FILE names. */
import { startNodeSDK } from '@opentelemetry/sdk-node';

const sdk = startNodeSDK();
process.on('SIGTERM', () => sdk.shutdown().catch(() => {}));
await import('./app.mjs');
