import { createFetchHandler } from 'otel-circuit-breaker/http';
import { registeredExporters } from 'otel-circuit-breaker/registry';

export const dynamic = 'force-dynamic';

export const GET = createFetchHandler(() => registeredExporters());
