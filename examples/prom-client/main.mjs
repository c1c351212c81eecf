import { createServer } from 'node:http';
import { renderPrometheus } from 'otel-circuit-breaker/prometheus';
import { Counter, collectDefaultMetrics, register } from 'prom-client';
import { exporter, stopTelemetry } from './telemetry.mjs';

const { HOST = '127.0.0.1', PORT = '3000' } = process.env;

collectDefaultMetrics();
const requests = new Counter({ name: 'app_requests_total', help: 'Requests served.' });

const server = createServer(async (request, response) => {
  if (request.url === '/metrics') {
    // Both are text format 0.0.4. An OpenMetrics registry ends with `# EOF`, and nothing may follow that.
    const text = (await register.metrics()) + renderPrometheus(exporter);
    response.writeHead(200, { 'Content-Type': register.contentType }).end(text);
    return;
  }
  requests.inc();
  response.end('hello\n');
});
server.listen(Number(PORT), HOST, () => console.log(`listening on port ${server.address().port}`));

process.once('SIGTERM', async () => {
  await new Promise((resolve) => server.close(resolve));
  await stopTelemetry();
});
