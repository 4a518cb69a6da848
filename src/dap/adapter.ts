/** The debug adapter of one client: its session with all request groups. */
import type { ProtocolServer } from '@vscode/debugadapter/lib/protocol.js';
import { admitting, everyone, type Admission } from './admission.ts';
import type { AdapterHost } from './host.ts';
import type { Outlet } from './outlet.ts';
import type { Send } from './protocol.ts';
import { breakpoints } from './requests/breakpoints.ts';
import { completions } from './requests/completions.ts';
import { custom } from './requests/custom.ts';
import { dataBreakpoints } from './requests/data-breakpoints.ts';
import { exceptions } from './requests/exceptions.ts';
import { execution } from './requests/execution.ts';
import { lifecycle } from './requests/lifecycle.ts';
import { memory } from './requests/memory.ts';
import { stack } from './requests/stack.ts';
import { variables } from './requests/variables.ts';
import { Session } from './session.ts';
import { Unanswered } from './unanswered.ts';

export interface Adapter {
  /** The protocol layer itself, in the shape of VS Code's inline adapters. */
  readonly server: ProtocolServer;
  /** One message of the client, already parsed. Resolves when it was answered. */
  receive(message: unknown): Promise<void>;
  /** Something is wrong with the stream itself; said to the client as an event. */
  complain(text: string): void;
  /** The client is gone: the guest forgets the debugger. Idempotent. */
  close(): Promise<void>;
}

export interface AdapterOptions {
  /** The client has disconnected and got its answer. */
  readonly onDisconnect?: () => void;
  /** Who is served; everyone, unless said. */
  readonly admission?: Admission;
  /** How much of what was sent the client has not taken yet; nothing, unless said. */
  readonly outlet?: Outlet;
}

export function createAdapter(host: AdapterHost, send: Send, options: AdapterOptions = {}): Adapter {
  const { onDisconnect = () => undefined, admission = everyone, outlet } = options;
  const session = new Session(host, send, outlet);
  const unanswered = new Unanswered();
  session.dispatcher.serve(
    admitting(
      unanswered.watch({
        ...lifecycle(session, { onDisconnect, othersAnswered: () => unanswered.settled() }),
        ...breakpoints(session),
        ...dataBreakpoints(session),
        ...exceptions(session),
        ...execution(session),
        ...stack(session),
        ...variables(session),
        ...completions(session),
        ...memory(session),
        ...custom(session),
      }),
      admission,
    ),
  );
  return {
    server: session.dispatcher,
    receive: (message) => session.dispatcher.receive(message),
    complain: (text) => session.dispatcher.complain(text),
    close: () => session.close(),
  };
}
