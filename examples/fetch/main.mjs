import { serve } from '@hono/node-server';
import { fetch } from './fetch.mjs';
import { stopTelemetry } from './telemetry.mjs';

const { HOST = '127.0.0.1', PORT = '3000' } = process.env;

const server = serve({ fetch, hostname: HOST, port: Number(PORT) }, ({ port }) => {
  console.log(`listening on port ${port}`);
});

process.once('SIGTERM', async () => {
  await new Promise((resolve) => server.close(resolve));
  await stopTelemetry();
});
