/** A service with Azure Monitor's distribution. */
'use strict';

const { useAzureMonitor, shutdownAzureMonitor } = require('@azure/monitor-opentelemetry');

useAzureMonitor();
process.on('SIGTERM', () => shutdownAzureMonitor());
require('./app.cjs');
