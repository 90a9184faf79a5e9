export const NAME_RULE = '1 to 64 characters of A-Z a-z 0-9 . _ -';

/** Whether this may name a cluster or a node. */
export function isName(name: unknown): name is string {
  return typeof name === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(name);
}

/** A copy ordered by id, compared by code units: the same order in every locale. */
export function orderedById<T extends { readonly id: string }>(named: Iterable<T>): T[] {
  return [...named].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}
