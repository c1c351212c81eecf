import { createServer } from 'node:http';
import { logs } from '@opentelemetry/api-logs';
import { createNodeHandler } from 'otel-circuit-breaker/http';
import { exporters } from './telemetry.mjs';

const telemetry = createNodeHandler(exporters); // GET /health/telemetry and /metrics
const server = createServer((request, response) => {
  if (request.url !== '/') return telemetry(request, response);
  logs.getLogger('app').emit({ severityText: 'INFO', body: 'hello' });
  response.end('hello\n');
});
const { HOST = '127.0.0.1', PORT = '3000' } = process.env;
server.listen(Number(PORT), HOST, () => console.log(`listening on port ${server.address().port}`));
