/** threads, stackTrace, scopes, source, loadedSources, modules. Answered from caches of the stop. */
import type { Frame } from '../../debugger/frames.ts';
import { visibleVariables } from '../../debugger/names.ts';
import type { Branch } from '../../debugger/variables.ts';
import { ProtocolError } from '../errors.ts';
import { LISTING_MIME_TYPE } from '../listings.ts';
import type { Group, P } from '../protocol.ts';
import type { Session } from '../session.ts';
import { threadId, threadName } from '../stops.ts';
import { frameName } from '../frame-names.ts';
import { frameBranches } from './scopes.ts';

export function stack(
  session: Session,
): Group<'threads' | 'stackTrace' | 'scopes' | 'source' | 'loadedSources' | 'modules'> {
  return {
    async threads() {
      if (!session.isLaunched) return { threads: [] };
      const { debugger: debugger_ } = session;
      const threads: P.Thread[] = [];
      for (const status of debugger_.vcpus()) {
        // While the guest runs, a name with its ring and place would be old before it is read.
        const name =
          session.state === 'stopped'
            ? threadName(status, await symbolName(session, status.pc))
            : `vCPU ${status.vcpu}`;
        threads.push({ id: threadId(status.vcpu), name });
      }
      return { threads };
    },

    async stackTrace(argument, call) {
      session.requireStopped();
      const vcpu = session.vcpuOf(argument.threadId);
      const frames = await session.debugger.stack(vcpu);
      const start = argument.startFrame ?? 0;
      const count = (argument.levels ?? 0) === 0 ? frames.length : (argument.levels ?? 0);
      const stackFrames: P.StackFrame[] = [];
      const anySource = await hasSource(session, frames);
      for (const frame of frames.slice(start, start + count)) {
        await call.breathe();
        const name = await frameName(session, frame, argument.format);
        stackFrames.push(await stackFrame(session, frame, name, anySource));
      }
      return { stackFrames, totalFrames: frames.length };
    },

    async scopes(argument) {
      session.requireStopped();
      const frame = session.references.frame(argument.frameId);
      const view = await session.debugger.view(frame);
      const branches = frameBranches(session, view);
      const scopeRows = view.extras.scopes[frame.scopeIndex];
      const scope = (name: string, branch: Branch, more: Partial<P.Scope>): P.Scope => ({
        name,
        variablesReference: session.references.add(branch, frame.vcpu, view),
        expensive: true,
        ...more,
      });
      const locals = visibleVariables(scopeRows).length;
      return {
        scopes: [
          scope('Locals', branches.locals, { presentationHint: 'locals', expensive: false, namedVariables: locals }),
          scope('Globals', branches.globals, { expensive: true }),
          scope('General registers', branches.general, { presentationHint: 'registers' }),
          scope('Segments and tables', branches.segments, { presentationHint: 'registers' }),
          scope('Control', branches.control, { presentationHint: 'registers' }),
          scope('Debug registers', branches.debug, { presentationHint: 'registers' }),
        ],
      };
    },

    source(argument) {
      const reference = argument.source?.reference ?? argument.sourceReference ?? 0;
      const content = session.launched.listings.text(reference);
      if (content === undefined) throw new ProtocolError('unknownSource', `There is no listing ${reference}.`);
      return { content, mimeType: LISTING_MIME_TYPE };
    },

    async loadedSources(_argument, call) {
      const sources: P.Source[] = [];
      if (!session.isLaunched) return { sources };
      for (const module of session.debugger.modules.all) {
        for (const file of await call.wait(module.file.sourceFiles())) {
          await call.breathe();
          const path = await session.launched.paths.local(file.path);
          sources.push(session.client.source({ name: file.name, path: path ?? file.path }));
        }
      }
      return { sources };
    },

    modules() {
      if (!session.isLaunched) return { modules: [], totalModules: 0 };
      const modules = session.debugger.modules.all.map((module): P.Module => {
        const { elf } = module.file;
        const loaded = elf.segments
          .filter(({ isLoad }) => isLoad)
          .map(({ virtualAddress }) => module.run(virtualAddress));
        const lowest = loaded.reduce<bigint | undefined>(
          (low, at) => (low === undefined || at < low ? at : low),
          undefined,
        );
        return {
          id: module.name,
          name: module.name,
          path: elf.name,
          symbolStatus: elf.hasDebugInformation ? 'Debugging information loaded.' : 'Symbols loaded.',
          ...(lowest === undefined ? {} : { addressRange: `0x${lowest.toString(16)}` }),
        };
      });
      return { modules, totalModules: modules.length };
    },
  };
}

async function symbolName(session: Session, pc: bigint): Promise<string | undefined> {
  return (await session.debugger.modules.describe(pc))?.replace(/\+0x[0-9a-f]+$/, '');
}

async function hasSource(session: Session, frames: readonly Frame[]): Promise<boolean> {
  for (const { source } of frames) {
    if (source !== undefined && (await session.launched.paths.local(source.file.path)) !== undefined) return true;
  }
  return false;
}

/**
 * Callers in machine code stand back behind frames with source: VS Code folds them. The frame where the vCPU stands never
 * does, since VS Code selects the first one that does not, and shows nothing of a stop when there is none.
 */
async function stackFrame(session: Session, frame: Frame, name: string, anySource: boolean): Promise<P.StackFrame> {
  const { client } = session;
  const { paths, listings } = session.launched;
  const { physical } = frame;
  const path = frame.source === undefined ? undefined : await paths.local(frame.source.file.path);
  const common = {
    id: session.references.frameId(frame),
    name,
    instructionPointerReference: `0x${physical.pc.toString(16)}`,
  };
  const moduleId = physical.module === undefined ? {} : { moduleId: physical.module.name };
  if (frame.source !== undefined && path !== undefined) {
    const source: P.Source = { name: frame.source.file.name, path };
    return {
      ...common,
      ...moduleId,
      source: client.source(source),
      line: client.line(frame.source.line),
      column: client.column(Math.max(1, frame.source.column)),
    };
  }
  const place = await listings.place(frame.vcpu, physical.level === 0 ? physical.pc : physical.lookupPc);
  const source: P.Source =
    anySource && frame.index > 0 ? { ...place.source, presentationHint: 'deemphasize' } : place.source;
  return { ...common, ...moduleId, source, line: client.line(place.line), column: client.column(1) };
}
