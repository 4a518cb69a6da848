// What the extension contributes to VS Code, as the manifest says it: the schema, the snippets and the documentation of launch.json
// come from the table in src/dap/configuration.ts.
import { launchProperties, launchRequired, type PropertyDescription } from '../src/dap/configuration.ts';

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };
type JsonObject = { readonly [name: string]: Json };

const debugType = 'trapline';
const ours = `inDebugMode && debugType == '${debugType}'`;
/** Assembly has no language of VS Code's own: the ids that its extensions use. */
const assemblyLanguages = [
  'asm',
  'nasm',
  'gas',
  'masm',
  'asm-intel-x86-generic',
  'asm-collection',
  'x86asm',
  'assembly',
];
const languages = ['c', 'cpp', ...assemblyLanguages, 'rust', 'zig', 'trapline-disassembly'];

/** A value that came out of a table typed `unknown`, as JSON. */
const toJson = (value: unknown): Json => JSON.parse(JSON.stringify(value)) as Json;

/** The schema of one property of launch.json. */
function schemaOf(property: PropertyDescription): JsonObject {
  const { type, description, enum: words, enumDescriptions, patternMessage, items, properties, required } = property;
  return {
    type: typeof type === 'string' ? type : [...type],
    markdownDescription: description,
    ...(property.default === undefined ? {} : { default: toJson(property.default) }),
    ...(words === undefined ? {} : { enum: [...words] }),
    ...(enumDescriptions === undefined ? {} : { markdownEnumDescriptions: [...enumDescriptions] }),
    ...(property.minimum === undefined ? {} : { minimum: property.minimum }),
    ...(property.maximum === undefined ? {} : { maximum: property.maximum }),
    ...(property.pattern === undefined ? {} : { pattern: property.pattern }),
    ...(patternMessage === undefined ? {} : { patternErrorMessage: patternMessage }),
    ...(items === undefined ? {} : { items: schemaOf(items) }),
    ...(properties === undefined ? {} : { properties: schemasOf(properties), additionalProperties: false }),
    ...(property.additionalProperties === undefined
      ? {}
      : { additionalProperties: schemaOf(property.additionalProperties) }),
    ...(required === undefined ? {} : { required: [...required] }),
  };
}

const schemasOf = (properties: Readonly<Record<string, PropertyDescription>>): JsonObject =>
  Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, schemaOf(property)]));

/** What every snippet has; `^` makes VS Code take the quoted text as it is, so that `${workspaceFolder}` stays. */
const bootBody = {
  type: debugType,
  request: 'launch',
  name: 'Boot ${1:kernel}',
  kernel: '^"\\${workspaceFolder}/${2:kernel.elf}"',
  machine: { cpus: 4, memory: '128M' },
  stopOnEntry: true,
};
const linuxBody = {
  type: debugType,
  request: 'launch',
  name: 'Boot Linux',
  kernel: '^"\\${workspaceFolder}/${1:arch/x86/boot/bzImage}"',
  initrd: '^"\\${workspaceFolder}/${2:initramfs.cpio}"',
  cmdline: 'console=ttyS0',
  machine: { cpus: 2, memory: '512M' },
  stopOnEntry: 'start_kernel',
};
const snippets: readonly { label: string; description: string; body: JsonObject }[] = [
  {
    label: 'Trapline: Boot a Kernel',
    description: 'Boots an ELF kernel with a Multiboot header and stops at its entry point.',
    body: bootBody,
  },
  {
    label: 'Trapline: Boot Linux',
    description:
      'A Linux kernel image (bzImage) with an initial RAM disk, stopped at start_kernel. Functions are known without a symbol file.',
    body: linuxBody,
  },
  {
    label: 'Trapline: Boot Linux with Its Symbols',
    description:
      'With source lines, variables and exact stacks: the vmlinux of the same build, with debugging information.',
    body: { ...linuxBody, symbols: [{ file: '^"\\${workspaceFolder}/${3:vmlinux}"' }] },
  },
  {
    label: 'Trapline: Boot a Kernel Built Elsewhere',
    description: 'For a kernel whose sources were in another folder when it was compiled.',
    body: { ...bootBody, sourceMap: { '${3:/build}': '^"\\${workspaceFolder}"' } },
  },
];

const debuggers: Json = [
  {
    type: debugType,
    label: 'Trapline',
    languages,
    configurationAttributes: { launch: { required: [...launchRequired], properties: schemasOf(launchProperties) } },
    initialConfigurations: [
      {
        type: debugType,
        request: 'launch',
        name: 'Boot kernel',
        kernel: '${workspaceFolder}/kernel.elf',
        machine: { cpus: 4, memory: '128M' },
        stopOnEntry: true,
      },
    ],
    configurationSnippets: snippets.map(({ label, description, body }) => ({ label, description, body })),
  },
];

const stopped = `${ours} && debugState == 'stopped'`;
interface Command {
  readonly command: string;
  readonly title: string;
  readonly icon?: string;
  readonly enablement?: string;
  /** When the command palette shows it; the enablement when left out. */
  readonly palette?: string;
}
const commands: readonly Command[] = [
  {
    command: 'trapline.stepOnlyThisVcpu',
    title: 'Step Only This vCPU',
    icon: '$(debug-step-over)',
    enablement: stopped,
  },
  { command: 'trapline.breakOnAddress', title: 'Break on Address...', icon: '$(pinned)', enablement: ours },
  {
    command: 'trapline.copyLedger',
    title: 'Copy Ledger as JSON Lines',
    icon: '$(copy)',
    enablement: 'trapline.hasLedger',
  },
  {
    command: 'trapline.clearLedgerFilter',
    title: 'Clear Ledger Filter',
    icon: '$(clear-all)',
    enablement: 'trapline.ledgerFiltered',
  },
  {
    command: 'trapline.showSerialConsole',
    title: 'Show Serial Console',
    icon: '$(terminal)',
    enablement: 'trapline.hasSerialConsole',
  },
  { command: 'trapline.focusVcpu', title: 'Focus on vCPU', palette: 'false' },
];

/** View ids end with a dot and a name: trapline.machine. */
const views: Json = {
  debug: [
    {
      id: 'trapline.machine',
      name: 'Machine',
      contextualTitle: 'Machine',
      icon: 'media/machine.svg',
      when: ours,
      size: 1,
    },
    {
      id: 'trapline.debugRegisters',
      name: 'Debug Registers',
      contextualTitle: 'Debug Registers',
      icon: 'media/registers.svg',
      when: ours,
      size: 1,
    },
    {
      id: 'trapline.ledger',
      name: 'Trap Ledger',
      contextualTitle: 'Trap Ledger',
      icon: 'media/ledger.svg',
      type: 'webview',
      // The ledger is read after the guest has ended, too.
      when: `${ours} || trapline.hasLedger`,
      size: 2,
    },
  ],
};

const menus: Json = {
  commandPalette: commands.map(({ command, enablement, palette }) => ({
    command,
    when: palette ?? enablement ?? 'true',
  })),
  'debug/callstack/context': [
    {
      command: 'trapline.stepOnlyThisVcpu',
      when: `${ours} && callStackItemType == 'thread'`,
      group: 'trapline@1',
    },
  ],
  'view/title': [
    { command: 'trapline.showSerialConsole', when: 'view == trapline.machine', group: 'navigation@1' },
    { command: 'trapline.breakOnAddress', when: 'view == trapline.debugRegisters', group: 'navigation@1' },
    { command: 'trapline.clearLedgerFilter', when: 'view == trapline.ledger', group: 'navigation@1' },
    { command: 'trapline.copyLedger', when: 'view == trapline.ledger', group: 'navigation@2' },
  ],
};

const viewsWelcome: Json = [
  {
    view: 'debug',
    contents:
      'Debug a guest kernel on a machine inside VS Code: [find kernels in this folder](command:workbench.action.debug.selectandstart?%5B%22trapline%22%5D).',
    when: 'debugStartLanguage =~ /^(c|cpp|asm|nasm|gas|rust|zig)$/',
  },
  { view: 'trapline.machine', contents: 'The machine is starting.' },
  { view: 'trapline.debugRegisters', contents: 'The machine is starting.' },
];

const contributedLanguages: Json = [
  {
    id: 'trapline-disassembly',
    aliases: ['Disassembly'],
    extensions: ['.disasm'],
    mimetypes: ['text/x-trapline-disassembly'],
    configuration: './syntaxes/trapline-disassembly.language.json',
  },
  { id: 'asm', aliases: ['Assembly'], extensions: ['.asm', '.s'], configuration: './syntaxes/asm.language.json' },
];

const colors: Json = [
  {
    id: 'trapline.hostForeground',
    description: "Traps and debug registers of Trapline's, the host's, own.",
    defaults: {
      dark: 'charts.blue',
      light: 'charts.blue',
      highContrast: 'foreground',
      highContrastLight: 'foreground',
    },
  },
  {
    id: 'trapline.guestForeground',
    description: 'Traps and debug registers of the guest: re-injected, its own.',
    defaults: {
      dark: 'charts.orange',
      light: 'charts.orange',
      highContrast: 'foreground',
      highContrastLight: 'foreground',
    },
  },
];

/** The parts of package.json that are generated. */
export const generatedManifest = {
  icon: 'media/icon.png',
  activationEvents: [`onDebugResolve:${debugType}`, `onDebugDynamicConfigurations:${debugType}`],
  capabilities: {
    untrustedWorkspaces: {
      supported: 'limited',
      description:
        'Kernels run inside an emulated machine. A debug configuration names files that are opened with your rights, and disks with "writable": true are written to; tasks of the workspace run programs.',
    },
    virtualWorkspaces: { supported: false, description: 'Kernels and their sources are read from disk.' },
  },
  contributes: {
    breakpoints: languages.map((language) => ({ language })),
    debuggers,
    languages: contributedLanguages,
    grammars: [
      {
        language: 'trapline-disassembly',
        scopeName: 'source.trapline-disassembly',
        path: './syntaxes/trapline-disassembly.tmLanguage.json',
      },
      { language: 'asm', scopeName: 'source.trapline-asm', path: './syntaxes/asm.tmLanguage.json' },
    ],
    commands: commands.map(({ command, title, icon, enablement }) => ({
      command,
      category: 'Trapline',
      title,
      ...(icon === undefined ? {} : { icon }),
      ...(enablement === undefined ? {} : { enablement }),
    })),
    menus,
    views,
    viewsWelcome,
    colors,
  },
} as const satisfies JsonObject;

const code = (value: unknown): string =>
  value === '' ? 'empty' : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;

function typeInWords({ type, items }: PropertyDescription): string {
  if (type === 'array') return `list of ${items === undefined ? 'values' : typeInWords(items)}s`;
  return typeof type === 'string' ? type : type.join(' or ');
}

/** One section of docs/launch.md per property, depth first. */
function documentProperty(name: string, property: PropertyDescription): string[] {
  const { description, enum: words, enumDescriptions = [], items, properties } = property;
  const facts = [typeInWords(property)];
  if (property.minimum !== undefined) facts.push(`${property.minimum} to ${property.maximum}`);
  if (launchRequired.includes(name)) facts.push('required');
  else if (property.default !== undefined && properties === undefined) facts.push(`default ${code(property.default)}`);
  const lines = [`## ${name}`, '', `_${facts.join(', ')}_`, '', description, ''];
  for (const [index, word] of (words ?? []).entries()) {
    const meaning = enumDescriptions[index];
    lines.push(`- ${code(word)}${meaning === undefined ? '' : `: ${meaning}`}`);
  }
  if ((words ?? []).length > 0) lines.push('');
  for (const [inner, part] of Object.entries(properties ?? items?.properties ?? {})) {
    lines.push(...documentProperty(`${name}${items === undefined ? '' : '[]'}.${inner}`, part));
  }
  return lines;
}

/** docs/launch.md. */
export function documentation(): string {
  const example = {
    version: '0.2.0',
    configurations: [
      {
        type: debugType,
        request: 'launch',
        name: 'Boot',
        kernel: '${workspaceFolder}/kernel.elf',
        machine: { cpus: 4, memory: '512M' },
        stopOnEntry: true,
      },
    ],
  };
  return [
    '<!-- Generated from src/dap/configuration.ts by scripts/generate-contributions.ts. -->',
    '',
    '# launch.json',
    '',
    'What a launch configuration of type `trapline` may say. Without a launch.json, F5 offers the kernels that are found in the folder.',
    '',
    '```json',
    JSON.stringify(example, undefined, 2),
    '```',
    '',
    ...Object.entries(launchProperties).flatMap(([name, property]) => documentProperty(name, property)),
  ].join('\n');
}
