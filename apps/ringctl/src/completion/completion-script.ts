import type { CommandWords, OptionWord, Word } from './command-words.js';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;

export type Shell = (typeof SHELLS)[number];

/**
 * A script for a shell to source. It is written out in full rather than asking `ringctl` at every key, which would take too long; so it has to be
 * made again after an upgrade.
 */
export function completionScript(shell: Shell, places: readonly CommandWords[]): string {
  switch (shell) {
    case 'bash':
      return bashScript(places);
    case 'zsh':
      return zshScript(places);
    case 'fish':
      return fishScript(places);
  }
}

/** Where in the command line we are: which commands stand before the cursor, values of options left out. */
function pathFinder(places: readonly CommandWords[], words: string, last: string, first: number): string {
  const known = places.filter(({ path }) => path.length > 0).map(({ path }) => `"/${path.join('/')}"`);
  return [
    `  local at="" previous="" word i`,
    `  for ((i = ${first}; i < ${last}; i++)); do`,
    `    word="\${${words}[i]}"`,
    `    case "$previous" in ${valuedSpellings(places).join('|')}) previous="$word"; continue ;; esac`,
    `    case "$at/$word" in`,
    `      ${known.join('|')}) at="$at/$word" ;;`,
    `    esac`,
    `    previous="$word"`,
    `  done`,
  ].join('\n');
}

/** The values of the option before the cursor, where they are few. */
function valueCases(
  places: readonly CommandWords[],
  give: (words: readonly string[]) => string,
  otherwise: string,
): string[] {
  const options = places.flatMap((place) => place.options.filter(({ takesValue }) => takesValue));
  const bySpelling = new Map(
    options.flatMap((option) => spellings(option).map((spelling) => [spelling, option.choices] as const)),
  );
  return [...bySpelling].map(
    ([spelling, choices]) => `    ${spelling}) ${choices.length > 0 ? give(choices) : otherwise}; return ;;`,
  );
}

function bashScript(places: readonly CommandWords[]): string {
  const reply = (words: readonly string[]): string => `COMPREPLY=($(compgen -W "${words.join(' ')}" -- "$current"))`;
  return `# bash completion of ringctl: source <(ringctl completion bash)
_ringctl() {
  local current="\${COMP_WORDS[COMP_CWORD]}"
  COMPREPLY=()
${pathFinder(places, 'COMP_WORDS', 'COMP_CWORD', 1)}
  case "$previous" in
${valueCases(places, reply, ':').join('\n')}
  esac
  case "$at" in
${places
  .map(({ path, commands, options }) => {
    const words = [...commands.map(({ word }) => word), ...options.map(({ word }) => word)];
    return `    "${path.map((part) => `/${part}`).join('')}") ${reply(words)} ;;`;
  })
  .join('\n')}
  esac
}
complete -o default -F _ringctl ringctl
`;
}

function zshScript(places: readonly CommandWords[]): string {
  const described = ({ word, description }: Word): string => quoted(`${word.replaceAll(':', '\\:')}:${description}`);
  return `#compdef ringctl
# zsh completion of ringctl: source <(ringctl completion zsh)
_ringctl() {
  setopt localoptions KSH_ARRAYS
  local -a found
${pathFinder(places, 'words', 'CURRENT - 1', 1)}
  case "$previous" in
${valueCases(places, (choices) => `compadd -- ${choices.join(' ')}`, '_files').join('\n')}
  esac
  case "$at" in
${places
  .map(({ path, commands, options }) => {
    const all = [...commands, ...options].map(described);
    return `    "${path.map((part) => `/${part}`).join('')}") found=(${all.join(' ')}) ;;`;
  })
  .join('\n')}
  esac
  unsetopt KSH_ARRAYS
  _describe 'ringctl' found
}
compdef _ringctl ringctl
`;
}

function fishScript(places: readonly CommandWords[]): string {
  const lines = places.flatMap(({ path, commands, options }) => {
    const at = `-n ${quoted(`__ringctl_at ${path.join(' ')}`.trim())}`;
    return [
      ...commands.map(({ word, description }) => `complete -c ringctl ${at} -f -a ${word} -d ${quoted(description)}`),
      ...options.map((option) => fishOption(option, at)),
    ];
  });
  const known = places.filter(({ path }) => path.length > 0).map(({ path }) => quoted(path.join(' ')));
  return `# fish completion of ringctl: ringctl completion fish | source
function __ringctl_at
    set -l at
    set -l previous
    for word in (commandline -opc)[2..-1]
        if contains -- "$previous" ${valuedSpellings(places).join(' ')}
            set previous
            continue
        end
        if contains -- (string join -- ' ' $at $word) ${known.join(' ')}
            set at $at $word
        end
        set previous $word
    end
    test "$at" = "$argv"
end
${lines.join('\n')}
`;
}

function fishOption({ word, short, description, takesValue, choices }: OptionWord, at: string): string {
  const long = word.startsWith('--') ? ` -l ${word.slice(2)}` : '';
  const letter = short === undefined ? '' : ` -s ${short.slice(1)}`;
  const value = !takesValue ? '' : choices.length > 0 ? ` -x -a ${quoted(choices.join(' '))}` : ' -r';
  return `complete -c ringctl ${at}${long}${letter}${value} -d ${quoted(description)}`;
}

function spellings({ word, short }: OptionWord): string[] {
  return short === undefined ? [word] : [word, short];
}

/** In single quotes, which no shell looks into. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Of all options behind which a value stands, wherever they may be. */
function valuedSpellings(places: readonly CommandWords[]): string[] {
  const spelled = places.flatMap(({ options }) => options.filter(({ takesValue }) => takesValue).flatMap(spellings));
  return [...new Set(spelled)];
}
