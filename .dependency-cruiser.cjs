// Who may import whom. Each rule's comment says what breaks without it; docs/ARCHITECTURE.md shows the picture.
const pure = (lib) => ({
  name: `${lib}-is-pure`,
  severity: 'error',
  comment:
    `libs/${lib} must run bit for bit the same in a test, in the simulator and in production. ` +
    'An import of Node, Nest or a package with a clock would let real time or real I/O in. Inject what you need.',
  from: { path: `^libs/${lib}/src/`, pathNot: '(\\.spec\\.ts$|/testing/)' },
  to: {
    pathNot: [`^libs/${lib}/src/`, ...(lib === 'kv' ? ['node_modules/sorted-btree/'] : [])],
    ...(lib === 'kv' ? { dependencyTypesNot: ['type-only'] } : {}),
  },
});

module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      comment: 'Two files that need each other are one file, or hide a third thing that both need.',
      from: {},
      to: { circular: true },
    },
    pure('raft'),
    pure('kv'),
    pure('placement'),
    {
      name: 'storage-knows-only-the-pure-types',
      severity: 'error',
      comment:
        'libs/storage keeps bytes. If it imported Nest, gRPC or an app, the simulator could not run this very code on its faulty disk.',
      from: { path: '^libs/storage/src/', pathNot: '(\\.spec\\.ts$|/testing/)' },
      to: { path: ['^apps/', '^libs/(rpc|platform|placement)/', 'node_modules/(@nestjs|@grpc)/'] },
    },
    {
      name: 'simulator-runs-the-real-classes-and-nothing-else',
      severity: 'error',
      comment:
        'libs/simulator runs the core, the state machine and the log of the real node on simulated time. With a clock, a socket, Nest or an ' +
        'import of Node it would no longer run the same way twice from the same seed.',
      from: { path: '^libs/simulator/src/', pathNot: '(\\.spec\\.ts$|/testing/)' },
      to: { pathNot: ['^libs/(simulator|raft|kv|storage)/src/', 'node_modules/pure-rand/'] },
    },
    {
      name: 'production-does-not-simulate',
      severity: 'error',
      comment:
        'libs/simulator is for tests and tools. What a process needs of it belongs in the lib that it simulates.',
      from: { path: '^(apps|libs)/', pathNot: '^libs/simulator/' },
      to: { path: '^libs/simulator/' },
    },
    {
      name: 'platform-knows-no-domain',
      severity: 'error',
      comment:
        'libs/platform is what every process needs. Once it knows keys or terms, every app depends on every domain.',
      from: { path: '^libs/platform/' },
      to: { path: ['^apps/', '^libs/(raft|kv|placement|storage|rpc)/'] },
    },
    {
      name: 'rpc-carries-it-does-not-decide',
      severity: 'error',
      comment:
        'libs/rpc holds messages, channels and the error table. It serves clients without Nest, so it may not need Nest or storage.',
      from: { path: '^libs/rpc/src/', pathNot: '\\.spec\\.ts$' },
      to: { path: ['^apps/', '^libs/(storage|platform)/', 'node_modules/@nestjs/'] },
    },
    {
      name: 'gateway-is-stateless',
      severity: 'error',
      comment:
        'A gateway that could reach the consensus core or a disk would soon keep state there, and two gateways would differ.',
      from: { path: '^apps/gateway/' },
      to: { path: ['^libs/(raft|storage)/', 'node_modules/classic-level/'] },
    },
    {
      name: 'ringctl-is-a-client',
      severity: 'error',
      comment:
        'apps/ringctl is started for one command and has two seconds for all of it: Nest would take a second of them. With the consensus core or ' +
        'the state machine it would begin to know better than the nodes it asks; it shows what they say.',
      from: { path: '^apps/ringctl/', pathNot: '(\\.spec\\.ts$|/testing/)' },
      to: { path: ['^libs/(raft|platform|simulator|kv)/', 'node_modules/(@nestjs|reflect-metadata|rxjs)/'] },
    },
    {
      name: 'ringctl-opens-only-backups',
      severity: 'error',
      comment:
        'libs/storage is for the files of backups. A command that reached into the data directory of a node from anywhere else would race with ' +
        'the node that runs there.',
      from: { path: '^apps/ringctl/src/', pathNot: ['^apps/ringctl/src/snapshot/', '(\\.spec\\.ts$|/testing/)'] },
      to: { path: '^libs/storage/' },
    },
    {
      name: 'apps-not-to-apps',
      severity: 'error',
      comment: 'Apps are processes: they meet over gRPC only. What both need belongs in a lib.',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'libs-not-to-apps',
      severity: 'error',
      comment: 'A lib that imports an app cannot be used by any other app.',
      from: { path: '^libs/' },
      to: { path: '^apps/' },
    },
    {
      name: 'libs-through-the-front-door',
      severity: 'error',
      comment: "Outsiders use a lib's index.ts: what is not exported there may change without notice.",
      from: { path: '^(apps|tools|test)/' },
      to: { path: '^libs/[^/]+/src/', pathNot: '^libs/[^/]+/src/(index\\.ts|testing/)' },
    },
    {
      name: 'libs-through-the-front-door-of-each-other',
      severity: 'error',
      comment: "Outsiders use a lib's index.ts: what is not exported there may change without notice.",
      from: { path: '^libs/([^/]+)/' },
      to: { path: '^libs/[^/]+/src/', pathNot: ['^libs/$1/', '^libs/[^/]+/src/(index\\.ts|testing/)'] },
    },
    {
      name: 'production-does-not-import-tests',
      severity: 'error',
      comment: 'Test support is not built into dist: the process would not start.',
      from: { path: '^(apps|libs|tools)/', pathNot: '(\\.spec\\.ts$|/testing/)' },
      to: { path: ['^test/', '/testing/', '\\.spec\\.ts$'] },
    },
    {
      name: 'not-to-dev-dependency',
      severity: 'error',
      comment: 'A production install has no devDependencies.',
      from: { path: '^(apps|libs)/', pathNot: '(\\.spec\\.ts$|/testing/)' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
