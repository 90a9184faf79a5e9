/** A line of a script: a command with its words, or prose (a comment, an empty line). */
export interface ScriptLine {
  readonly text: string;
  /** Counted from 1, in the file as it was read. */
  readonly number: number;
  /** Empty for prose. */
  readonly words: readonly string[];
}

/** A line and what it has led to. */
export interface RecordedLine {
  readonly text: string;
  readonly output: readonly string[];
}

const INDENT = '    ';

/** The lines that an author wrote. What was recorded is indented, and left out: it is made anew by every run. */
export function parseScript(text: string): ScriptLine[] {
  const lines: ScriptLine[] = [];
  for (const [i, line] of text.replace(/\n$/, '').split('\n').entries()) {
    if (/^\s+\S/.test(line)) continue;
    const trimmed = line.trimEnd();
    const isProse = trimmed === '' || trimmed.startsWith('#');
    // Arrows may stand between spaces or not.
    const words = isProse ? [] : trimmed.replace(/->/g, ' -> ').split(/\s+/);
    lines.push({ text: trimmed, number: i + 1, words });
  }
  return lines;
}

/** The script with what each line has led to written behind it. */
export function renderScript(lines: readonly RecordedLine[]): string {
  const rendered = lines.flatMap(({ text, output }) => [text, ...output.map((line) => (INDENT + line).trimEnd())]);
  return `${rendered.join('\n')}\n`;
}
