// The import rules of the house (ARCHITECTURE.md): imports run one way,
//   entry -> vscode, dap, cli -> words -> debugger -> guestdebug, symbols -> machine -> jit -> core, wasm.
// `npm run lint` and `npm test` enforce them; test/project/import-rules.test.ts shows that each rule bites.

/** What each folder of src may import besides itself and the npm packages that it is allowed below. */
const mayImport = {
  core: [],
  wasm: [],
  jit: ['core', 'wasm'],
  machine: ['jit', 'core'],
  symbols: ['machine', 'jit', 'core'],
  guestdebug: ['machine', 'jit', 'core'],
  debugger: ['guestdebug', 'symbols', 'machine', 'jit', 'core'],
  words: ['debugger', 'guestdebug', 'symbols', 'machine', 'core'],
  dap: ['words', 'debugger', 'guestdebug', 'symbols', 'machine', 'jit', 'core'],
  cli: ['dap', 'words', 'debugger', 'guestdebug', 'symbols', 'machine', 'jit', 'core'],
  webview: ['words'],
  vscode: ['dap', 'webview', 'words', 'debugger', 'guestdebug', 'symbols', 'machine', 'jit', 'core'],
};
const test = '\\.test\\.ts$';
const belowEntry = `^src/(${Object.keys(mayImport).join('|')})/`;

const oneWay = Object.entries(mayImport).map(([folder, lower]) => ({
  name: `one-way-${folder}`,
  comment: `src/${folder} may import ${lower.length === 0 ? 'nothing else of src' : `only ${lower.join(', ')}`}.`,
  severity: 'error',
  from: { path: `^src/${folder}/`, pathNot: test },
  to: { path: '^src/', pathNot: `^src/(${[folder, ...lower].join('|')})/` },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...oneWay,
    {
      name: 'state-by-name',
      comment:
        'Where a slot of the state area is, only core, jit and machine-state.ts know. ' +
        'Read and write it by name, engine.vcpu(n).rsp; its bits are in src/core/state-values.ts.',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(core/|jit/|machine/machine-state[.]ts$)' },
      to: { path: '^src/core/(layout|state-layout[.]generated|state-table|state-row|state-window)[.]ts$' },
    },
    {
      name: 'words-of-types',
      comment: 'Words stand on types (and constants of the processor) alone: a page in a webview says them, too.',
      severity: 'error',
      from: { path: '^src/words/', pathNot: test },
      to: {
        path: '^src/',
        pathNot: '^src/(words/|core/(state-values|vector-names)[.]ts$)',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'known-rooms',
      comment: 'A new folder of src gets its place in the order above first.',
      severity: 'error',
      from: { path: '^src/', pathNot: `(${belowEntry}|^src/entry/)` },
      to: {},
    },
    {
      name: 'vscode-only-on-top',
      comment: "Only src/vscode, src/entry and the tests inside the extension host import 'vscode'.",
      severity: 'error',
      from: { pathNot: '^(src/(vscode|entry)|test/vscode/host)/' },
      to: { path: '^vscode$' },
    },
    {
      name: 'no-node-below-entry',
      comment: 'Below src/entry nothing imports a Node built-in: the same code runs in a browser worker. Tests may.',
      severity: 'error',
      from: { path: belowEntry, pathNot: test },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'packages-at-run-time',
      comment:
        "The product needs one npm package: @vscode/debugadapter, which src/dap stands on (and the protocol's types).",
      severity: 'error',
      from: { path: '^src/', pathNot: test },
      to: {
        dependencyTypes: ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-bundled'],
        pathNot: '^node_modules/@vscode/(debugadapter/lib/(protocol|messages|handles)|debugprotocol/)',
      },
    },
    {
      name: 'protocol-package-in-dap',
      comment: 'Only src/dap knows @vscode/debugadapter.',
      severity: 'error',
      from: { path: '^src/', pathNot: `(^src/dap/|${test})` },
      to: { path: '@vscode/debugadapter' },
    },
    {
      name: 'no-circular',
      comment: 'Modules that need each other are one module, or want a third.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'not-resolvable',
      comment: 'An import of something that is not there.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true, pathNot: '^vscode$' },
    },
    {
      name: 'product-without-tests',
      comment: 'The product imports neither tests nor scripts.',
      severity: 'error',
      from: { path: '^src/', pathNot: test },
      to: { path: `(^(test|scripts|bench)/|${test})` },
    },
    {
      name: 'no-undeclared-package',
      comment: 'A package that package.json does not name.',
      severity: 'error',
      from: {},
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // AssemblyScript has its own compiler, and no module of it is imported by TypeScript.
    exclude: { path: '^(src/core/assembly|dist|out)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.mjs', '.cjs', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types', 'default'],
    },
  },
};
