import fc from 'fast-check';
import type { Field, Settings } from '../../docs/playground/simulation/settings.ts';
import { FIELDS } from '../../docs/playground/simulation/settings.ts';

function anyValue(field: Field): fc.Arbitrary<boolean | number | string> {
  switch (field.kind) {
    case 'flag':
      return fc.boolean();
    case 'choice':
      return fc.constantFrom(...field.choices.map(([value]) => value));
    case 'number': {
      const { min, max, integer } = field;
      return integer ? fc.integer({ min, max }) : fc.double({ min, max, noNaN: true });
    }
  }
}

/** Whatever can be chosen in the playground. */
export const anySettings: fc.Arbitrary<Settings> = fc
  .record(Object.fromEntries(FIELDS.map((field) => [field.name, anyValue(field)])))
  .map((settings) => settings as unknown as Settings);
