/** initialize, launch, configurationDone, terminate, disconnect. */
import { Debugger } from '../../debugger/debugger.ts';
import { Execution } from '../../debugger/execution.ts';
import { continuePlan } from '../../debugger/plan.ts';
import { RunToAddresses } from '../../debugger/run-to.ts';
import { linearPc } from '../../debugger/registers.ts';
import { SymbolError } from '../../symbols/index.ts';
import { capabilities } from '../capabilities.ts';
import type { LaunchConfiguration } from '../configuration.ts';
import { validateLaunch } from '../configuration.ts';
import { ProtocolError, toProtocolError } from '../errors.ts';
import type { Guest } from '../host.ts';
import { sessionScheduler } from '../idle.ts';
import { LinuxBoot, type WaitingSymbols } from '../linux.ts';
import { Listings } from '../listings.ts';
import type { Group } from '../protocol.ts';
import { SerialOutput } from '../serial.ts';
import type { Launched, Session } from '../session.ts';
import { SourcePaths } from '../source-paths.ts';
import { toBreakpoint } from './breakpoints.ts';

/** Client ids of our own extension's sessions carry this argument: their terminal takes serial output as bytes. */
const TERMINAL_ARGUMENT = '__trapline';

export function lifecycle(
  session: Session,
): Group<'initialize' | 'launch' | 'restart' | 'configurationDone' | 'disconnect' | 'terminate' | 'cancel'> {
  return {
    initialize(argument) {
      session.client = argument;
      return capabilities;
    },

    async launch(argument, call) {
      if (session.isLaunched)
        throw new ProtocolError('alreadyLaunched', 'A guest is running already; one session debugs one guest.');
      const checked = validateLaunch(argument);
      if (!checked.ok) {
        throw new ProtocolError('badConfiguration', checked.problems.map(({ message }) => message).join(' '));
      }
      session.ownExtension = TERMINAL_ARGUMENT in argument;
      session.adopt(await powerOn(session, checked.configuration));
      call.after(() => session.dispatcher.event('initialized', undefined));
      return undefined;
    },

    async restart(_argument, call) {
      const { configuration, debugger: before } = session.launched;
      // The kernel may have been built anew: everything is read again. A failure leaves the old machine as it is.
      const parts = await powerOn(session, configuration);
      await session.leave();
      session.adopt(parts);
      for (const status of await parts.debugger.breakpoints.adopt(before.breakpoints)) {
        const { id, verified, message } = status;
        const breakpoint = { id, verified, ...(message === undefined ? {} : { message }) };
        session.dispatcher.event('breakpoint', { reason: 'changed', breakpoint });
      }
      parts.debugger.api.setCatch(session.catching);
      session.continued(0);
      call.after(() => start(session));
      return undefined;
    },

    configurationDone(_argument, call) {
      if (session.state !== 'launched')
        throw new ProtocolError('notLaunched', 'configurationDone comes once, after launch.');
      call.after(() => start(session));
      return undefined;
    },

    async disconnect(_argument, call) {
      await session.close();
      call.after(() => session.onDisconnect());
      return undefined;
    },

    terminate(_argument, call) {
      call.after(() => {
        void session.close().then(() => session.dispatcher.event('terminated', {}));
      });
      return undefined;
    },

    // Requests are answered so fast that there is nothing to cancel; the protocol allows to ignore this one.
    cancel: () => undefined,
  };
}

/** Lets the guest go, as far as `stopOnEntry` says. */
function start(session: Session): void {
  const fail = (error: unknown): Promise<void> => {
    // The client may have gone while names were looked up: there is nothing left to stop, and nobody to tell.
    if (!session.isLaunched) return Promise.resolve();
    session.output('important', toProtocolError(error).message);
    return session.stopped({ vcpu: 0, reason: 'entry', badge: 'reset' }, undefined);
  };
  void begin(session).catch(fail);
}

/** A new machine with the kernel loaded, and its debugger with all symbols. */
async function powerOn(session: Session, configuration: LaunchConfiguration): Promise<Launched> {
  const { host } = session;
  const guest = await host.createGuest(configuration).catch((error: unknown) => {
    throw new ProtocolError('cannotLaunch', error instanceof Error ? error.message : String(error));
  });
  try {
    return await attachDebugger(session, configuration, guest);
  } catch (error) {
    guest.release();
    throw error;
  }
}

async function attachDebugger(session: Session, configuration: LaunchConfiguration, guest: Guest): Promise<Launched> {
  const { host } = session;
  const debugger_ = new Debugger({ machine: guest.machine, api: guest.debug, onLog: (line) => session.logged(line) });
  // A bzImage is no ELF file: what it unpacks to is looked at when it runs.
  const compressed = guest.protocol === 'linux';
  const files = [...(compressed ? [] : [{ file: configuration.kernel, offset: 0n }]), ...configuration.symbols];
  const waiting: WaitingSymbols[] = [];
  for (const { file, offset } of files) {
    const path = host.files.resolve(file);
    try {
      const symbols = await host.symbols.open({ kind: 'file', path }, path);
      if (compressed && offset === 0n) waiting.push({ path, file: symbols });
      else debugger_.addModule(path.replace(/^.*[/\\]/, ''), symbols, offset);
      if (!symbols.elf.hasDebugInformation)
        session.output('console', `${path} has no debugging information (DWARF): build it with -g to see source.`);
    } catch (error) {
      if (!(error instanceof SymbolError)) throw error;
      // A kernel without readable symbols can still be debugged as machine code; a file that was asked for cannot be missing.
      if (file !== configuration.kernel) throw new ProtocolError('cannotLaunch', `symbols: ${error.message}`);
      session.output('important', error.message);
    }
  }
  // The extension says so itself; other clients get the serial port as output.
  const terminal = session.ownExtension && configuration.console === 'integratedTerminal';
  const run = new Execution(
    guest.debug,
    debugger_.overlays,
    sessionScheduler(host, guest.machine, terminal, () => session.pace()),
  );
  const linux =
    compressed && !configuration.noDebug
      ? new LinuxBoot({
          debugger: debugger_,
          symbols: host.symbols,
          files: waiting,
          say: (category, text) => session.output(category, text),
          onKernel: () => bindWhatWaited(session),
        })
      : undefined;
  if (linux !== undefined) run.interlude = linux.interlude;
  return {
    configuration,
    debugger: debugger_,
    execution: run,
    linux,
    paths: new SourcePaths(host.files, { sourceMap: configuration.sourceMap, kernel: configuration.kernel }),
    listings: new Listings(debugger_),
    serial: new SerialOutput(session.dispatcher, { terminal, now: () => host.now() }),
    release: () => guest.release(),
  };
}

/** The kernel's names are known: breakpoints find their places, and the client hears of it. */
async function bindWhatWaited(session: Session): Promise<void> {
  for (const status of await session.debugger.breakpoints.rebind()) {
    if (session.filterIds.has(status.id)) continue;
    session.dispatcher.event('breakpoint', { reason: 'changed', breakpoint: toBreakpoint(status) });
  }
  session.dispatcher.event('trapline/machineChanged', { running: true });
}

/** The client has set everything: the guest may go, as far as `stopOnEntry` says. */
async function begin(session: Session): Promise<void> {
  const { debugger: debugger_, configuration } = session.launched;
  const { stopOnEntry, noDebug } = configuration;
  const entryReason = (badge: string) => (vcpu: number) => {
    const pc = linearPc(debugger_.target.slots, vcpu);
    const where = badge === 'reset' ? 'has executed nothing yet; it is' : 'stopped';
    return { vcpu, reason: 'entry', badge, text: `vCPU ${vcpu} ${where} at 0x${pc.toString(16)}.` };
  };
  if (stopOnEntry === false || noDebug) {
    session.run(continuePlan);
    return;
  }
  const pc = linearPc(debugger_.target.slots, 0);
  if (stopOnEntry === 'reset') {
    await session.stopped(entryReason('reset')(0), undefined);
    return;
  }
  if (session.launched.linux?.waiting === true) {
    // A compressed kernel's entry point is where the loader has put vCPU 0; its functions come to be known on the way.
    if (stopOnEntry === true) await session.stopped(entryReason('entry')(0), undefined);
    else session.run(new RunToFunction(session, stopOnEntry), entryReason('entry'));
    return;
  }
  const targets = stopOnEntry === true ? entryPoints(session) : await functionEntries(session, stopOnEntry);
  if (targets.length === 0) {
    session.output(
      'important',
      `The property 'stopOnEntry' names '${String(stopOnEntry)}', but no function of this name is known: stopped at reset instead.`,
    );
    await session.stopped(entryReason('reset')(0), undefined);
    return;
  }
  if (targets.includes(pc)) {
    await session.stopped(entryReason('entry')(0), undefined);
    return;
  }
  session.run(new RunToAddresses(debugger_.overlays, targets), entryReason('entry'));
}

function entryPoints(session: Session): readonly bigint[] {
  return session.debugger.modules.all.slice(0, 1).map((module) => module.run(module.file.elf.entry));
}

/** Runs to a function whose address comes to be known on the way. */
class RunToFunction extends RunToAddresses {
  constructor(session: Session, name: string) {
    super(session.debugger.overlays, []);
    session.launched.linux?.whenFound(async () => {
      const targets = await functionEntries(session, name);
      if (targets.length === 0)
        session.output('important', `The property 'stopOnEntry' names '${name}', but the kernel has no such function.`);
      this.add(targets);
    });
  }
}

async function functionEntries(session: Session, name: string): Promise<readonly bigint[]> {
  const addresses: bigint[] = [];
  for (const module of session.debugger.modules.all) {
    for (const { address } of await module.file.functionBreakpoints(name)) addresses.push(module.run(address));
  }
  return addresses;
}
