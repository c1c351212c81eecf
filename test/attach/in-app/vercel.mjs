/** What `instrumentation.ts` of a Next.js application does, without Next.js. */
import { registerOTel } from '@vercel/otel';

registerOTel({ serviceName: 'matrix' });
await import('./app.mjs');
