import { RouteTable } from './route-table.js';

describe('RouteTable', () => {
  const routes = new RouteTable();
  routes.add('/v1/kv/:key', ['GET']);
  routes.add('/v1/kv/:key', ['PUT']);
  routes.add('/docs/*', ['GET', 'HEAD']);
  routes.add('/openapi.json', ['GET']);

  it.each([
    ['/v1/kv/a', ['GET', 'PUT']],
    ['/v1/kv/', ['GET', 'PUT']],
    ['/v1/kv/a/b', []],
    ['/v1/kv', []],
    ['/docs/a/b.css', ['GET', 'HEAD']],
    ['/openapi.json', ['GET']],
    ['/openapi_json', []],
  ])('%s takes %j', (path, methods) => {
    expect(routes.methodsOf(path)).toEqual(methods);
  });
});
