import { setTimeout as pause } from 'node:timers/promises';
import { createApp } from './app.mjs';
import { settings } from './settings.mjs';
import { exporter, stopTelemetry } from './telemetry.mjs';

const server = createApp(exporter, settings).listen(settings.port, settings.host, (error) => {
  if (error) throw error;
  console.log(`listening on port ${server.address().port}`);
});

for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, stop);

async function stop() {
  // A dead collector whose circuit is still closed is tried for ten seconds more: too long for a shutdown.
  setTimeout(() => process.exit(), 1_500).unref();
  // Requests under way get half a second, so that their spans are sent too.
  await Promise.race([
    new Promise((resolve) => server.close(resolve)),
    pause(500, undefined, { ref: false }),
  ]);
  await stopTelemetry();
}
