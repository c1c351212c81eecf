import { styleText } from 'node:util';

/** What a {@link Screen} writes to: `process.stdout`, or whatever behaves like it. */
export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow';

const CLEAR_LINE = '\r\u001b[2K';
const LINE_UP = '\u001b[1A';
// biome-ignore lint/suspicious/noControlCharactersInRegex: the codes of colors begin with one.
const STYLE_OR_CHARACTER = /(\u001b\[\d+m)|./gu;

/**
 * Lines, and below them a live part that is drawn again and again. Where it writes to no terminal: plain lines, and no
 * live part.
 */
export class Screen {
  readonly #terminal: Terminal;
  readonly #redraws: boolean;
  readonly #colours: boolean;
  #live: readonly string[] = [];

  /** @param env - `NO_COLOR` (not empty) takes the colours away, `TERM=dumb` those and the live part */
  constructor(terminal: Terminal, env: NodeJS.ProcessEnv) {
    this.#terminal = terminal;
    this.#redraws = terminal.isTTY === true && env['TERM'] !== 'dumb';
    this.#colours = this.#redraws && !env['NO_COLOR'];
  }

  /** Whether there is a live part. */
  get redraws(): boolean {
    return this.#redraws;
  }

  /** Dresses up a text, where there are colours. */
  style(style: Style, text: string): string {
    return this.#colours ? styleText(style, text, { validateStream: false }) : text;
  }

  /** Writes lines for good. */
  print(...lines: string[]): void {
    this.#draw(lines, this.#live);
  }

  /** Draws the live lines anew; they are cut where the terminal ends, because what wraps cannot be drawn over. */
  live(...lines: string[]): void {
    if (!this.#redraws) return;
    const width = (this.#terminal.columns ?? 80) - 1;
    this.#draw(
      [],
      lines.map((line) => cut(line, width)),
    );
  }

  #draw(lines: readonly string[], live: readonly string[]): void {
    const clear = this.#live.map(() => CLEAR_LINE).join(LINE_UP);
    this.#terminal.write(clear + lines.map((line) => `${line}\n`).join('') + live.join('\n'));
    this.#live = live;
  }
}

/** The first characters of a line that are seen: the codes of colours take no width. */
function cut(line: string, width: number): string {
  let seen = 0;
  return line.replaceAll(STYLE_OR_CHARACTER, (character, style?: string) => {
    if (style !== undefined) return character;
    seen += 1;
    return seen <= width ? character : '';
  });
}
