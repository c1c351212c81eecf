/** A service, in CommonJS, that knows nothing of telemetry. */
'use strict';

const http = require('node:http');

const server = http.createServer((_request, response) => response.end('hello\n'));
server.listen(0, '127.0.0.1', () =>
  console.log(`listening on ${server.address().port}, node ${process.version}`),
);
process.on('SIGTERM', () => server.close());
