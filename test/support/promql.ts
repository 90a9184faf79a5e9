import { parser } from '@prometheus-io/lezer-promql';

/** A selector of an expression: which metric, and the labels that it wants to see on it. */
export interface Selector {
  readonly metric: string;
  readonly labels: readonly string[];
}

/** What Grafana puts in for these; PromQL itself has no `$`. */
const GRAFANA_VARIABLES: readonly (readonly [RegExp, string])[] = [
  [/\$__rate_interval|\$__interval|\$__range/g, '5m'],
  [/\$\{?[a-z]\w*\}?/g, 'any'],
];

/** The selectors of a PromQL expression. Throws when it is none. */
export function selectorsOf(expression: string): Selector[] {
  const query = GRAFANA_VARIABLES.reduce((text, [pattern, value]) => text.replaceAll(pattern, value), expression);
  const selectors: { metric: string; labels: string[] }[] = [];
  parser.parse(query).iterate({
    enter({ name, from, to, type, node }) {
      if (type.isError) throw new Error(`no PromQL at ${from}: ${query}`);
      if (name === 'VectorSelector') {
        const identifier = node.getChild('Identifier');
        if (identifier === null) throw new Error(`a selector without a name at ${from}: ${query}`);
        selectors.push({ metric: query.slice(identifier.from, identifier.to), labels: [] });
      } else if (name === 'LabelName' && selectors.length > 0 && isOfSelector(node.parent?.name)) {
        selectors.at(-1)?.labels.push(query.slice(from, to));
      }
    },
  });
  return selectors;
}

/** `by (...)` and `on (...)` name labels, too, but of what the expression makes. */
function isOfSelector(parent: string | undefined): boolean {
  return parent === 'UnquotedLabelMatcher' || parent === 'QuotedLabelMatcher';
}

/** The labels that an expression groups by or matches on. */
export function groupingsOf(expression: string): string[] {
  const labels: string[] = [];
  parser.parse(expression).iterate({
    enter({ name, from, to, node }) {
      if (name === 'LabelName' && node.parent?.name === 'GroupingLabels') labels.push(expression.slice(from, to));
    },
  });
  return labels;
}
