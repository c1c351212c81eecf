'use strict';

// A service that knows nothing of telemetry: it loads neither OpenTelemetry nor the circuit breaker.
const { createServer } = require('node:http');

const server = createServer((_request, response) => response.end('hello\n'));
server.listen(Number(process.env.PORT ?? 3000), process.env.HOST ?? '127.0.0.1', () => {
  console.log(`listening on port ${server.address().port}`);
});

// The preload of auto-instrumentations-node flushes on SIGTERM; ending is up to the service.
process.on('SIGTERM', () => {
  server.close(() => setTimeout(() => process.exit(0), 1_500).unref());
});
