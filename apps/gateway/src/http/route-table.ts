/** Which methods each path takes, to tell "no such path" from "not with this method". */
export class RouteTable {
  private readonly routes: { readonly pattern: RegExp; readonly methods: readonly string[] }[] = [];

  /** `url` in the form of the router: `/v1/kv/:key`, `/docs/*`. */
  add(url: string, methods: readonly string[]): void {
    const pattern = url
      .split('/')
      .map((part) => (part.startsWith(':') ? '[^/]*' : part === '*' ? '.*' : escapeRegExp(part)))
      .join('/');
    this.routes.push({ pattern: new RegExp(`^${pattern}$`), methods });
  }

  /** Sorted; empty when there is no such path. */
  methodsOf(path: string): string[] {
    const methods = this.routes.flatMap((route) => (route.pattern.test(path) ? route.methods : []));
    return [...new Set(methods)].sort();
  }
}

function escapeRegExp(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
