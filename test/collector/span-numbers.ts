/** Reading OTLP JSON lines: what the Collector's file exporter writes, and the file fallback. */

interface OtlpTraces {
  readonly resourceSpans?: ReadonlyArray<{
    readonly scopeSpans?: ReadonlyArray<{
      readonly spans?: ReadonlyArray<{
        readonly attributes?: ReadonlyArray<{
          readonly key: string;
          readonly value: { readonly intValue?: string | number; readonly doubleValue?: number };
        }>;
      }>;
    }>;
  }>;
}

/**
 * The attribute `n` of every span in OTLP JSON lines. A last line without its end is not read: it is being written, or
 * a SIGKILL tore it and nobody was told that it arrived.
 */
export function numbersOf(lines: string): number[] {
  const numbers: number[] = [];
  for (const line of lines.slice(0, lines.lastIndexOf('\n') + 1).split('\n')) {
    if (line === '') continue;
    const traces = JSON.parse(line) as OtlpTraces;
    for (const resource of traces.resourceSpans ?? []) {
      for (const scope of resource.scopeSpans ?? []) {
        for (const span of scope.spans ?? []) {
          const value = span.attributes?.find((attribute) => attribute.key === 'n')?.value;
          if (value !== undefined) numbers.push(Number(value.intValue ?? value.doubleValue));
        }
      }
    }
  }
  return numbers;
}
