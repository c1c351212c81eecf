import { describe, expect, test } from 'vitest';
import { deadPort } from '../support/dead-port.ts';
import { startReceiver } from '../support/receiver-process.ts';
import { waitFor } from '../support/wait-for.ts';
import { startExample } from './support/example-process.ts';

describe.each(['fastify', 'nestjs', 'hono-bun'] as const)('%s', (name) => {
  test('lives through a collector that dies and comes back', async () => {
    await using collector = await startReceiver({ protocol: 'http' });
    await using service = await startExample(name, {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_CIRCUIT_BREAKER_RETENTION_MAX_ITEMS: '10000',
    });
    await service.serveUntil('CLOSED');
    await collector.kill();
    await service.serveUntil('OPEN');
    expect(await service.health()).toMatchObject({ httpStatus: 503, body: { status: 'unhealthy' } });
    expect((await service.request('/metrics')).text).toContain('state="open"} 1\n');
    await collector.restart();
    await service.serveUntil('CLOSED');
    // Live spans bring along what was kept.
    await waitFor(
      async () => {
        await service.request('/');
        const { body } = await service.health();
        const { delivery } = body.circuit_breaker as unknown as Kept;
        return delivery.kept.items === 0 && delivery.lost.items === 0;
      },
      { what: 'nothing to be kept any more', timeoutMillis: 60_000 },
    );
    expect(await service.child.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect((await collector.stats()).names['GET']).toBeGreaterThan(5);
  });

  test('SIGTERM sends the last spans, and ends the service by itself', async () => {
    await using collector = await startReceiver({ protocol: 'http' });
    await using service = await startExample(name, {
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_BSP_SCHEDULE_DELAY: '60000',
    });
    await service.request('/');
    expect(await service.child.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect((await collector.stats()).names).toEqual({ GET: 1 });
  });

  test('SIGTERM ends the service during an outage', async () => {
    await using dead = await deadPort();
    await using service = await startExample(name, { OTEL_EXPORTER_OTLP_ENDPOINT: dead.url });
    await service.serveUntil('OPEN');
    const began = performance.now();
    expect(await service.child.kill('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});

/** Of the health report. */
interface Kept {
  readonly delivery: Readonly<Record<'kept' | 'lost', { readonly items: number }>>;
}
