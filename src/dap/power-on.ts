/** A new machine with the kernel loaded, and its debugger with all symbols. */
import { Debugger } from '../debugger/debugger.ts';
import { Execution } from '../debugger/execution.ts';
import type { LogLine } from '../debugger/hit-filter.ts';
import type { SymbolFile, Symbols } from '../symbols/index.ts';
import { SymbolError } from '../symbols/index.ts';
import { toBreakpoint } from './breakpoint-answers.ts';
import { debugFileOf } from './debug-files.ts';
import type { LaunchConfiguration } from './configuration.ts';
import { ProtocolError } from './errors.ts';
import { GuestOutput } from './guest-output.ts';
import type { Guest } from './host.ts';
import { sessionScheduler } from './idle.ts';
import { LinuxBoot, type WaitingSymbols } from './linux.ts';
import { Listings } from './listings.ts';
import { type ResourceScope, ScopeOver } from './resource-scope.ts';
import { RunInProgress } from './run-in-progress.ts';
import { SerialOutput } from './serial.ts';
import type { Launched, Session } from './session.ts';
import { SourcePaths } from './source-paths.ts';

/** Everything that is taken is the scope's. Rejects with ProtocolError or, when the scope is over, with ScopeOver. */
export async function powerOn(
  session: Session,
  configuration: LaunchConfiguration,
  scope: ResourceScope,
): Promise<Launched> {
  const guest = await session.host.createGuest(configuration, scope).catch((error: unknown) => {
    if (error instanceof ScopeOver) throw error;
    throw new ProtocolError('cannotLaunch', error instanceof Error ? error.message : String(error));
  });
  return attachDebugger(session, configuration, guest, scope);
}

async function attachDebugger(
  session: Session,
  configuration: LaunchConfiguration,
  guest: Guest,
  scope: ResourceScope,
): Promise<Launched> {
  const { host, dispatcher } = session;
  const { machine, debug: api } = guest;
  // The extension says so itself; other clients get the serial port as output.
  const terminal = session.client.isOwnExtension && configuration.console === 'integratedTerminal';
  const serial = new SerialOutput(dispatcher, { terminal, now: () => host.now() });
  const output = new GuestOutput(dispatcher, api, serial, () => host.now());
  const onLog = (line: LogLine): void => output.logged(line);
  const debugger_ = new Debugger({ machine, api, onLog });
  scope.hold('The debugger', api, () => api.detach(false));
  const symbols = heldSymbols(host.symbols, scope);
  // A bzImage is no ELF file: what it unpacks to is looked at when it runs.
  const compressed = guest.protocol === 'linux';
  const waiting = await openSymbols(session, configuration, { symbols, compressed, debugger_ });
  const execution = new Execution(
    api,
    sessionScheduler(host, machine, terminal, () => output.pace(), session.backlog),
  );
  const linux =
    compressed && !configuration.noDebug
      ? new LinuxBoot({
          debugger: debugger_,
          symbols,
          files: waiting,
          say: (category, text) => session.output(category, text),
          onKernel: () => bindWhatWaited(session, debugger_),
        })
      : undefined;
  if (linux !== undefined) execution.interlude = linux.interlude;
  api.onLedger = () => undefined;
  machine.onSerial = (bytes) => serial.push(bytes);
  machine.onDebugConsole = (bytes) => serial.pushDebugConsole(bytes);
  machine.onMessage = (text) => session.output('console', text);
  const run = scope.hold('The run', new RunInProgress(execution), async (one) => {
    await one.abandon();
    output.flush();
  });
  const paths = new SourcePaths(host.files, {
    sourceMap: configuration.sourceMap,
    kernel: configuration.kernel,
    say: (sentence) => session.output('important', sentence),
  });
  const listings = new Listings(debugger_);
  return { configuration, debugger: debugger_, execution, linux, paths, listings, output, run, scope };
}

/** The same service, whose files are the scope's. */
function heldSymbols(symbols: Symbols, scope: ResourceScope): Pick<Symbols, 'open'> {
  return {
    open: async (source, name) =>
      scope.hold(`The symbol file ${name}`, await symbols.open(source, name), (file) => file.close()),
  };
}

/** Opens the kernel's and all other symbol files. Answers those of a compressed kernel, which wait until it runs. */
async function openSymbols(
  session: Session,
  configuration: LaunchConfiguration,
  into: { readonly symbols: Pick<Symbols, 'open'>; readonly compressed: boolean; readonly debugger_: Debugger },
): Promise<readonly WaitingSymbols[]> {
  const { symbols, compressed, debugger_ } = into;
  const files = [...(compressed ? [] : [{ file: configuration.kernel, offset: 0n }]), ...configuration.symbols];
  const waiting: WaitingSymbols[] = [];
  const described: SymbolFile[] = [];
  for (const { file, offset } of files) {
    const path = session.host.files.resolve(file);
    try {
      const opened = await symbols.open({ kind: 'file', path }, path);
      const apart = await debugFileApart(session, opened, path, symbols);
      if (compressed && offset === 0n) waiting.push({ path, file: apart ?? opened });
      else {
        for (const one of apart === undefined ? [opened] : [opened, apart])
          debugger_.addModule(one.elf.name.replace(/^.*[/\\]/, ''), one, offset);
      }
      described.push(apart ?? opened);
    } catch (error) {
      if (!(error instanceof SymbolError)) throw error;
      // A kernel without readable symbols can still be debugged as machine code; a file that was asked for cannot be missing.
      if (file !== configuration.kernel) throw new ProtocolError('cannotLaunch', `symbols: ${error.message}`);
      session.output('important', error.message);
    }
  }
  await sayWhatIsMissing(session, described);
  return waiting;
}

/** The file with the debugging information of one that has none, when it is where such files are. */
async function debugFileApart(
  session: Session,
  opened: SymbolFile,
  path: string,
  symbols: Pick<Symbols, 'open'>,
): Promise<SymbolFile | undefined> {
  if (opened.elf.hasDebugInformation) return undefined;
  const apart = await debugFileOf(opened, path, session.host.files, symbols);
  if (apart?.kind === 'found') {
    session.output('console', `The debugging information of ${path} is in ${apart.path}.`);
    return apart.file;
  }
  if (apart !== undefined) session.output('important', apart.message);
  return undefined;
}

/** What of the files cannot be read, by section and reason; and what to do when there is no source in any of them. */
async function sayWhatIsMissing(session: Session, files: readonly SymbolFile[]): Promise<void> {
  let said = false;
  for (const file of files) {
    for (const { message } of await file.warnings()) {
      session.output('important', message);
      said = true;
    }
  }
  if (said || files.some(({ elf }) => elf.hasDebugInformation)) return;
  for (const { elf } of files)
    session.output('console', `${elf.name} has no debugging information (DWARF): build it with -g to see source.`);
}

/** The kernel's names are known: breakpoints find their places, and the client hears of it. */
async function bindWhatWaited(session: Session, debugger_: Debugger): Promise<void> {
  for (const status of await debugger_.breakpoints.rebind()) {
    if (session.breakpointIds.filter(status.id) !== undefined) continue;
    session.dispatcher.event('breakpoint', { reason: 'changed', breakpoint: toBreakpoint(session, status) });
  }
  session.dispatcher.event('trapline/machineChanged', { running: true });
}
