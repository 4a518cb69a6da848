/** The first run of a machine: the client has set everything, and the guest may go, as far as `stopOnEntry` says. */
import { continuePlan } from '../debugger/plan.ts';
import { linearPc } from '../debugger/registers.ts';
import { RunToAddresses } from '../debugger/run-to.ts';
import { toProtocolError } from './errors.ts';
import type { Launched, Session } from './session.ts';
import { atEntrySentence, atResetSentence } from '../words/stops.ts';
import type { StopReason } from './stops.ts';
import { namesOfCode } from './symbolic.ts';

/** Lets a guest go. Never rejects; does nothing when the guest was overtaken. */
export async function begin(session: Session, guest: Launched): Promise<void> {
  try {
    await letGo(session, guest);
  } catch (error) {
    if (!session.isCurrent(guest)) return;
    session.output('important', toProtocolError(error).message);
    await session.stopped(guest, await atReset(session, guest), undefined);
  }
}

async function entryReason(
  { t }: Session,
  guest: Launched,
  vcpu: number,
  badge: 'entry' | 'reset',
): Promise<StopReason> {
  const { modules, target } = guest.debugger;
  const pc = linearPc(target.slots, vcpu);
  const nameOf = await namesOfCode(modules, [pc]);
  const say = badge === 'reset' ? atResetSentence : atEntrySentence;
  const text = say(vcpu, pc, nameOf, t);
  return { vcpu, reason: 'entry', badge, text };
}
const atReset = (session: Session, guest: Launched): Promise<StopReason> => entryReason(session, guest, 0, 'reset');

async function letGo(session: Session, guest: Launched): Promise<void> {
  const { debugger: debugger_, configuration, linux } = guest;
  const { stopOnEntry, noDebug } = configuration;
  const atEntry = (vcpu: number): Promise<StopReason> => entryReason(session, guest, vcpu, 'entry');
  if (stopOnEntry === false || noDebug) {
    session.run(guest, continuePlan);
    return;
  }
  const pc = linearPc(debugger_.target.slots, 0);
  if (stopOnEntry === 'reset') {
    await session.stopped(guest, await atReset(session, guest), undefined);
    return;
  }
  if (linux?.waiting === true) {
    // A compressed kernel's entry point is where the loader has put vCPU 0; its functions come to be known on the way.
    if (stopOnEntry === true) await session.stopped(guest, await atEntry(0), undefined);
    else session.run(guest, new RunToFunction(session, guest, stopOnEntry), atEntry);
    return;
  }
  const targets = stopOnEntry === true ? entryPoints(guest) : await functionEntries(guest, stopOnEntry);
  if (targets.length === 0) {
    session.output(
      'important',
      `The property 'stopOnEntry' names '${String(stopOnEntry)}', but no function of this name is known: stopped at reset instead.`,
    );
    await session.stopped(guest, await atReset(session, guest), undefined);
    return;
  }
  if (targets.includes(pc)) {
    await session.stopped(guest, await atEntry(0), undefined);
    return;
  }
  session.run(guest, new RunToAddresses(debugger_.api, targets), atEntry);
}

function entryPoints(guest: Launched): readonly bigint[] {
  return guest.debugger.modules.all.slice(0, 1).map((module) => module.run(module.file.elf.entry));
}

/** Runs to a function whose address comes to be known on the way. */
class RunToFunction extends RunToAddresses {
  constructor(session: Session, guest: Launched, name: string) {
    super(guest.debugger.api, []);
    guest.linux?.whenFound(async () => {
      const targets = await functionEntries(guest, name);
      if (targets.length === 0)
        session.output('important', `The property 'stopOnEntry' names '${name}', but the kernel has no such function.`);
      this.add(targets);
    });
  }
}

async function functionEntries(guest: Launched, name: string): Promise<readonly bigint[]> {
  return (await guest.debugger.modules.functionBreakpoints(name)).map(({ address }) => address);
}
