/** A service that sets the SDK up itself, in ESM, and not before it has waited for something. */
import { NodeSDK } from '@opentelemetry/sdk-node';

await new Promise((resolve) => setTimeout(resolve, 100));
const sdk = new NodeSDK();
sdk.start();
process.on('SIGTERM', () => sdk.shutdown().catch(() => {}));
await import('./app.mjs');
