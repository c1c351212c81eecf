/** How the simulated backend behaves during the incident; healthy before and after it. */
export type BackendMode = 'healthy' | 'refuses' | 'hangs' | 'slow' | 'flapping' | 'rejects';

export type TripChoice = 'consecutive' | 'rate' | 'slow' | 'either';

export type ProbeChoice = 'default' | 'nth' | 'cooldown' | 'backoff';

/** Everything that can be chosen in the playground. Flat, so that each setting is one parameter of the page's URL. */
export interface Settings {
  minutes: number;
  rate: number;
  spans: number;
  burst: number;
  every: number;
  queue: number;
  backend: BackendMode;
  start: number;
  length: number;
  fail: number;
  timeout: number;
  slow: number;
  flap: number;
  share: number;
  trip: TripChoice;
  failures: number;
  percent: number;
  window: number;
  minimum: number;
  slower: number;
  probe: ProbeChoice;
  nth: number;
  cooldown: number;
  initial: number;
  longest: number;
  retention: boolean;
  memory: number;
  items: number;
  pace: number;
  fallback: boolean;
}

export type SettingName = keyof Settings;

interface FieldBase {
  readonly name: SettingName;
  readonly label: string;
  /** Whether the setting has an effect with the others as they are; it is shown only then. */
  readonly matters?: (settings: Settings) => boolean;
}

export interface NumberField extends FieldBase {
  readonly kind: 'number';
  readonly unit: string;
  readonly min: number;
  readonly max: number;
  readonly integer: boolean;
}

export interface ChoiceField extends FieldBase {
  readonly kind: 'choice';
  readonly choices: readonly (readonly [value: string, label: string])[];
}

export interface FlagField extends FieldBase {
  readonly kind: 'flag';
}

export type Field = NumberField | ChoiceField | FlagField;

export interface FieldGroup {
  readonly title: string;
  readonly fields: readonly Field[];
}

export const DEFAULT_SETTINGS: Readonly<Settings> = Object.freeze({
  minutes: 4,
  rate: 2,
  spans: 100,
  burst: 0,
  every: 30,
  queue: 2_048,
  backend: 'refuses',
  start: 30,
  length: 60,
  fail: 8,
  timeout: 10,
  slow: 5,
  flap: 5,
  share: 10,
  trip: 'consecutive',
  failures: 3,
  percent: 50,
  window: 60,
  minimum: 10,
  slower: 2,
  probe: 'default',
  nth: 10,
  cooldown: 30,
  initial: 1,
  longest: 60,
  retention: true,
  memory: 64,
  items: 0,
  pace: 1,
  fallback: false,
});

const isDown = ({ backend }: Settings): boolean => backend !== 'healthy';

/** The settings as the page shows them. */
export const FIELD_GROUPS: readonly FieldGroup[] = [
  {
    title: 'Traffic',
    fields: [
      number('rate', 'Batches a second', '', 0.01, 10),
      number('spans', 'Spans in a batch', '', 1, 2_048, true),
      number('burst', 'Batches in a burst', '(0 = none)', 0, 100, true),
      { ...number('every', 'A burst every', 's', 10, 3_600), matters: ({ burst }) => burst > 0 },
      number('queue', "Batch processor's queue", 'spans (0 = no processor)', 0, 50_000, true),
      number('minutes', 'Length of the run', 'min', 1, 60),
    ],
  },
  {
    title: 'Backend',
    fields: [
      choice('backend', 'During the incident', [
        ['healthy', 'it stays healthy'],
        ['refuses', 'it refuses connections'],
        ['hangs', 'it never answers'],
        ['slow', 'it answers slowly'],
        ['flapping', 'it goes down and comes back'],
        ['rejects', 'it answers 400 to some batches'],
      ]),
      { ...number('start', 'The incident begins at', 's', 0, 3_600), matters: isDown },
      { ...number('length', 'It lasts', 's', 0, 3_600), matters: isDown },
      {
        ...number(
          'fail',
          'An export fails after',
          's (OTLP/HTTP retries for 8 s, gRPC fails at once)',
          0,
          14,
        ),
        matters: ({ backend }) => backend === 'refuses' || backend === 'flapping',
      },
      {
        ...number('timeout', 'timeoutMillis of the OTLP exporter', 's', 0.1, 14),
        matters: ({ backend }) => backend === 'hangs' || backend === 'slow',
      },
      { ...number('slow', 'It answers after', 's', 0, 14), matters: ({ backend }) => backend === 'slow' },
      {
        ...number('flap', 'It changes every', 's', 1, 600),
        matters: ({ backend }) => backend === 'flapping',
      },
      {
        ...number('share', 'Batches that get 400', '%', 1, 100),
        matters: ({ backend }) => backend === 'rejects',
      },
    ],
  },
  {
    title: 'Circuit',
    fields: [
      choice('trip', 'The circuit opens after', [
        ['consecutive', 'failures in a row'],
        ['rate', 'a rate of failures'],
        ['slow', 'a rate of slow exports'],
        ['either', 'failures in a row, or slow exports'],
      ]),
      {
        ...number('failures', 'Failures in a row', '', 1, 1_000, true),
        matters: ({ trip }) => trip === 'consecutive' || trip === 'either',
      },
      {
        ...number('slower', 'An export is slow after', 's', 0, 14),
        matters: ({ trip }) => trip === 'slow' || trip === 'either',
      },
      {
        ...number('percent', 'Share that opens it', '%', 1, 100),
        matters: ({ trip }) => trip !== 'consecutive',
      },
      {
        ...number('window', 'Within the last', 's', 1, 3_600),
        matters: ({ trip }) => trip !== 'consecutive',
      },
      {
        ...number('minimum', 'With at least', 'exports', 1, 10_000, true),
        matters: ({ trip }) => trip !== 'consecutive',
      },
      choice('probe', 'It probes', [
        ['default', 'as the default policy does'],
        ['nth', 'with every nth batch'],
        ['cooldown', 'after a fixed pause'],
        ['backoff', 'after a growing pause'],
      ]),
      { ...number('nth', 'n', '', 1, 10_000, true), matters: ({ probe }) => probe === 'nth' },
      { ...number('cooldown', 'Pause', 's', 0.1, 3_600), matters: ({ probe }) => probe === 'cooldown' },
      { ...number('initial', 'First pause', 's', 0.1, 3_600), matters: ({ probe }) => probe === 'backoff' },
      { ...number('longest', 'Longest pause', 's', 0.1, 3_600), matters: ({ probe }) => probe === 'backoff' },
    ],
  },
  {
    title: 'Keeping data',
    fields: [
      { kind: 'flag', name: 'retention', label: 'Retention: keep in memory, deliver later' },
      {
        ...number('memory', 'maxBytes', 'MiB; a span of 12 attributes takes 1.2 kB', 1, 4_096, true),
        matters: ({ retention }) => retention,
      },
      {
        ...number('items', 'maxItems', 'spans (0 = no limit)', 0, 1_000_000, true),
        matters: ({ retention }) => retention,
      },
      {
        ...number('pace', 'pace', 'redeliveries for each live batch', 1, 100, true),
        matters: ({ retention }) => retention,
      },
      { kind: 'flag', name: 'fallback', label: 'Fallback: another exporter that always accepts' },
    ],
  },
];

/** Every field, in the order of the page. */
export const FIELDS: readonly Field[] = FIELD_GROUPS.flatMap(({ fields }) => fields);

/** The nearest value that the field allows; `undefined` where the text means nothing. */
export function readField(field: Field, text: string): Settings[SettingName] | undefined {
  switch (field.kind) {
    case 'flag':
      return text === 'on' ? true : text === 'off' ? false : undefined;
    case 'choice':
      return field.choices.find(([value]) => value === text)?.[0] as Settings[SettingName] | undefined;
    case 'number': {
      const value = Number(text);
      if (text.trim() === '' || !Number.isFinite(value)) return undefined;
      return Math.min(field.max, Math.max(field.min, field.integer ? Math.round(value) : value));
    }
  }
}

/** The inverse of {@link readField}. */
export function writeField(value: Settings[SettingName]): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  return String(value);
}

/** Settings with one of them changed. */
export function withSetting(settings: Settings, name: SettingName, value: Settings[SettingName]): Settings {
  return { ...settings, [name]: value };
}

function number(
  name: SettingName,
  label: string,
  unit: string,
  min: number,
  max: number,
  integer = false,
): NumberField {
  return { kind: 'number', name, label, unit, min, max, integer };
}

function choice(name: SettingName, label: string, choices: ChoiceField['choices']): ChoiceField {
  return { kind: 'choice', name, label, choices };
}
