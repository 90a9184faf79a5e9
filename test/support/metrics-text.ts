/** What one or several processes export: the labels that the samples of each metric carry, by the name of the metric. */
export type MetricFamilies = ReadonlyMap<string, ReadonlySet<string>>;

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+$/;
const LABEL = /([a-zA-Z_]\w*)="(?:[^"\\]|\\.)*"/g;

/** Reads Prometheus' text format. A histogram is one family, under the name without `_bucket`, `_sum` and `_count`. */
export function familiesOf(...texts: readonly string[]): MetricFamilies {
  const families = new Map<string, Set<string>>();
  for (const text of texts) {
    for (const line of text.split('\n')) {
      const declared = /^# TYPE (\S+) /.exec(line)?.[1];
      if (declared !== undefined && !families.has(declared)) families.set(declared, new Set());
      const [, name, labels = ''] = SAMPLE.exec(line) ?? [];
      if (name === undefined) continue;
      const family = families.get(familyOf(name, families));
      if (family === undefined) throw new Error(`${name} has no # TYPE before it`);
      for (const [, label] of labels.matchAll(LABEL)) family.add(label!);
    }
  }
  return families;
}

/** The family that a name of PromQL belongs to. */
export function familyOf(name: string, families: MetricFamilies): string {
  const base = name.replace(/_(bucket|sum|count)$/, '');
  return !families.has(name) && families.has(base) ? base : name;
}

/** The value of a sample; NaN when there is none. Labels in any order, and not all of them. */
export function sampleOf(text: string, name: string, labels: Readonly<Record<string, string>> = {}): number {
  for (const line of text.split('\n')) {
    const [, sampled, given = ''] = SAMPLE.exec(line) ?? [];
    if (sampled !== name) continue;
    if (Object.entries(labels).every(([label, value]) => given.includes(`${label}="${value}"`))) {
      return Number(line.slice(line.lastIndexOf(' ') + 1));
    }
  }
  return NaN;
}
