import { describe, expect, it } from 'vitest';
import { escapeText } from '../../../src/internal/escape-text.ts';

describe('escapeText', () => {
  it.each([
    ['connection lost', 'connection lost'],
    ['', ''],
    ['a\nb\r\nc\td', 'a\\nb\\r\\nc\\td'],
    ['\u001b[31mred\u0000', '\\u001b[31mred\\u0000'],
    ['\u007f\u0085\u009b', '\\u007f\\u0085\\u009b'],
    ['\u2028\u2029', '\\u2028\\u2029'],
    ['Übertragung 🚀', 'Übertragung 🚀'],
  ])('escapes line breaks and control characters, and nothing else: case %#', (text, escaped) => {
    expect(escapeText(text, 100)).toBe(escaped);
  });

  it('cuts what is longer', () => {
    expect(escapeText('x'.repeat(100), 100)).toBe('x'.repeat(100));
    expect(escapeText('x'.repeat(101), 100)).toBe(`${'x'.repeat(100)}…`);
  });

  it('cuts before it escapes', () => {
    expect(escapeText('\n\n\n', 2)).toBe('\\n\\n…');
  });

  it('leaves no half of a character at the cut', () => {
    expect(escapeText('ab🚀', 3)).toBe('ab\\ud83d…');
  });
});
