import Table from 'cli-table3';

const BLANK = [
  'top',
  'top-mid',
  'top-left',
  'top-right',
  'bottom',
  'bottom-mid',
  'bottom-left',
  'bottom-right',
] as const;
const BLANK_TOO = ['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'] as const;

export interface Column {
  readonly head: string;
  readonly align?: 'left' | 'right';
}

/** Columns without lines between, as kubectl prints them: a line for each row, so that grep and awk work, too. */
export function tableOf(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const chars = Object.fromEntries([...BLANK, ...BLANK_TOO].map((name) => [name, '']));
  const table = new Table({
    head: columns.map(({ head }) => head),
    colAligns: columns.map(({ align = 'left' }) => align),
    chars: { ...chars, middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
