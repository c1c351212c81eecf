import type { ServiceProcess } from './service-process.ts';
import type { Stage } from './stage.ts';

interface HealthBody {
  readonly status: string;
  readonly circuit_breaker: Readonly<Record<string, unknown>>;
}

/** Some of what a health body says of a breaker; the whole has all its numbers. */
const SHOWN = ['name', 'state', 'not_closed_since', 'consecutive_failures', 'failed_probes', 'last_failure'];

/** Shows what a service's health endpoint would answer, and sees to it that it is right. */
export async function showHealth(
  stage: Stage,
  service: ServiceProcess,
  expected: 'healthy' | 'unhealthy',
): Promise<void> {
  const { httpStatus, body } = await service.ask('health');
  const { status, circuit_breaker } = body as HealthBody;
  const excerpt = Object.fromEntries(SHOWN.map((key) => [key, circuit_breaker[key]]));
  stage.promises.see('health', status === expected && httpStatus === (expected === 'healthy' ? 200 : 503));
  stage.screen.print(
    `           health ${httpStatus} ${JSON.stringify({ status, circuit_breaker: excerpt })}`,
  );
}
