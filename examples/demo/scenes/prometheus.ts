import type { ServiceProcess } from '../service-process.ts';
import type { Stage } from '../stage.ts';

/** Shows what Prometheus would scrape: each family, and one of its samples. */
export async function showPrometheus(stage: Stage, service: ServiceProcess): Promise<void> {
  const lines = (await service.ask('prometheus')).split('\n');
  const families = lines.filter((line) => line.startsWith('# TYPE '));
  stage.screen.title(`For Prometheus: ${families.length} families, one sample of each`);
  for (const family of families) {
    const [, , name = '', type] = family.split(' ');
    const samples = lines.filter((line) => line.startsWith(name) && !line.includes('_bucket'));
    const sample = samples.find((line) => !line.endsWith(' 0')) ?? samples[0] ?? '';
    stage.screen.print(`  ${`${type}`.padEnd(9)}  ${sample}`);
  }
  stage.promises.see(
    'prometheus',
    lines.includes('otel_circuit_breaker_state{name="otlp",state="closed"} 1'),
  );
}
