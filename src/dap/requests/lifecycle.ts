/** initialize, launch, configurationDone, restart, terminate, disconnect. */
import { breakpointText } from '../../words/refusals.ts';
import { begin } from '../begin.ts';
import { Cancelled } from '../call.ts';
import { capabilities, defaultFilters } from '../capabilities.ts';
import { Client } from '../client.ts';
import type { LaunchConfiguration } from '../configuration.ts';
import { validateLaunch } from '../configuration.ts';
import { ProtocolError } from '../errors.ts';
import { powerOn } from '../power-on.ts';
import type { Call, Group } from '../protocol.ts';
import { ScopeOver } from '../resource-scope.ts';
import type { Launched, Session } from '../session.ts';
import { Overtaken } from '../starts.ts';
import { catchExceptions } from './exceptions.ts';

interface Connection {
  /** Called when the answer to `disconnect` is on its way. */
  readonly onDisconnect: () => void;
  /** Resolves when every other request has its outcome. */
  readonly othersAnswered: () => Promise<void>;
}

export function lifecycle(
  session: Session,
  { onDisconnect, othersAnswered }: Connection,
): Group<'initialize' | 'launch' | 'restart' | 'configurationDone' | 'disconnect' | 'terminate' | 'cancel'> {
  return {
    initialize(argument) {
      session.dispatcher.client = new Client(argument);
      return capabilities;
    },

    async launch(argument, call) {
      session.life.require('launch');
      const configuration = checked(argument);
      session.life.request('launch');
      session.client.launches(argument);
      try {
        await start(session, call, configuration, (guest) => {
          if (!session.life.take('poweredOn')) throw new ScopeOver('The machine');
          session.adopt(guest);
        });
      } catch (error) {
        // An overtaken launch leaves the state to whatever overtook it.
        if (!(error instanceof Overtaken)) session.life.take('launchFailed');
        throw refusal(error);
      }
      call.after(() => session.dispatcher.event('initialized', undefined));
      return undefined;
    },

    async restart(argument, call) {
      session.life.request('restart');
      // Without arguments those of the launch hold.
      const given = argument.arguments;
      const configuration = given === undefined ? session.launched.configuration : checked(given);
      let before: Launched | undefined;
      // The kernel may have been built anew: everything is read again. A failure leaves the old machine as it is.
      const guest = await start(session, call, configuration, (made) => {
        if (!session.life.take('replaced')) throw new ScopeOver('The machine');
        before = session.adopt(made);
      }).catch((error: unknown) => {
        throw refusal(error);
      });
      await takeOver(session, guest, before);
      call.after(() => begin(session, guest));
      return undefined;
    },

    async configurationDone(_argument, call) {
      session.life.request('configurationDone');
      const guest = session.launched;
      // A client that does not know exception filters gets those that others show as chosen.
      if (!session.exceptionFilters.areSet && !guest.configuration.noDebug)
        await catchExceptions(
          session,
          guest,
          defaultFilters.map((filter) => ({ filter })),
        );
      call.after(() => begin(session, guest));
      return undefined;
    },

    async disconnect(_argument, call) {
      await session.close('disconnect');
      // What others wait for is released or refused by now. Their answers go first: with this one the connection may end.
      await othersAnswered();
      await session.host.scheduler.yield();
      call.after(onDisconnect);
      return undefined;
    },

    terminate(_argument, call) {
      session.life.request('terminate');
      call.after(() => session.close('terminate').then(() => session.sayTerminated()));
      return undefined;
    },

    cancel({ requestId, progressId }) {
      session.dispatcher.calls.cancel(requestId, progressId);
      return undefined;
    },
  };
}

/** A machine on its way to be the session's. A client that cancels gives it up. */
async function start(
  session: Session,
  call: Call,
  configuration: LaunchConfiguration,
  adopt: (guest: Launched) => void,
): Promise<Launched> {
  try {
    return await call.wait(session.starts.begin((scope) => powerOn(session, configuration, scope), adopt));
  } catch (error) {
    // What it still waits for is put away when it comes; a later start waits for that, the client does not.
    if (error instanceof Cancelled) void session.starts.abort();
    throw error;
  }
}

/** The configuration that a client gave. Throws ProtocolError with all that is wrong with it. */
function checked(argument: unknown): LaunchConfiguration {
  const verdict = validateLaunch(argument);
  if (verdict.ok) return verdict.configuration;
  throw new ProtocolError('badConfiguration', verdict.problems.map(({ message }) => message).join(' '));
}

function refusal(error: unknown): unknown {
  return error instanceof Overtaken ? new ProtocolError('cannotLaunch', error.message) : error;
}

/** The new machine gets what the user has set; the old one is released. */
async function takeOver(session: Session, guest: Launched, before: Launched | undefined): Promise<void> {
  session.exceptionFilters.applyTo(guest.debugger.api);
  if (before !== undefined) {
    const adopted = guest.debugger.breakpoints.adopt(before.debugger.breakpoints);
    await before.scope.release();
    for (const status of await adopted) {
      const { id, verified } = status;
      const message = breakpointText(status, (other) => session.breakpointIds.label(other), session.t);
      const breakpoint = { id, verified, ...(message === undefined ? {} : { message }) };
      session.dispatcher.event('breakpoint', { reason: 'changed', breakpoint });
    }
  }
  session.continued(0);
}
