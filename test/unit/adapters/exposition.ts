/** Prometheus' text format, taken apart as strictly as the format is described. */
export interface Exposition {
  /** Type of each family, in their order. */
  readonly types: ReadonlyMap<string, string>;
  /** Value of each series, by its name and labels as they are written. */
  readonly samples: ReadonlyMap<string, number>;
}

const COMMENT = /^# (HELP|TYPE) ([a-z_]+) (.+)$/;
const LABELS = /^[a-z_]+="(?:[^"\\\n]|\\["\\n])*"(?:,[a-z_]+="(?:[^"\\\n]|\\["\\n])*")*$/;

/** @throws Error for a line that the format does not allow, a family or a series that is there twice, or one out of its family */
export function parseExposition(text: string): Exposition {
  if (!text.endsWith('\n')) throw new Error('does not end with a newline');
  const types = new Map<string, string>();
  const helps = new Set<string>();
  const samples = new Map<string, number>();
  let family = '';
  for (const line of text.slice(0, -1).split('\n')) {
    if (line.startsWith('#')) {
      const [, kind, name, rest] = COMMENT.exec(line) ?? [];
      if (name === undefined || rest === undefined) throw new Error(`bad comment: ${line}`);
      if (kind === 'HELP') {
        if (helps.has(name)) throw new Error(`two HELP of ${name}`);
        helps.add(name);
      } else {
        if (types.has(name) || !helps.has(name)) throw new Error(`TYPE of ${name} out of place`);
        types.set(name, rest);
        family = name;
      }
      continue;
    }
    const end = line.lastIndexOf('} ');
    const begin = line.indexOf('{');
    const name = line.slice(0, begin);
    const suffixes = types.get(family) === 'histogram' ? ['_bucket', '_sum', '_count'] : [''];
    if (!suffixes.some((suffix) => name === family + suffix)) throw new Error(`out of its family: ${line}`);
    if (!LABELS.test(line.slice(begin + 1, end))) throw new Error(`bad labels: ${line}`);
    const series = line.slice(0, end + 1);
    if (samples.has(series)) throw new Error(`twice: ${series}`);
    const value = line.slice(end + 2);
    if (!/^(?:-?\d+(?:\.\d+)?(?:e[+-]\d+)?|NaN|[+-]Inf)$/.test(value)) throw new Error(`bad value: ${line}`);
    samples.set(series, Number(value.replace('Inf', 'Infinity')));
  }
  return { types, samples };
}
