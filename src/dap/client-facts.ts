/** What is known of the client: what it said in `initialize`, and whether it is our own extension. */
import type { P } from './protocol.ts';

/** Our own extension puts this argument into its launches. */
const OWN_EXTENSION = '__trapline';

export class ClientFacts {
  private introduced: P.InitializeRequestArguments | undefined;
  private own = false;

  /** The arguments of `initialize`; undefined when the client has not introduced itself. */
  get initialize(): P.InitializeRequestArguments | undefined {
    return this.introduced;
  }
  /** The client is our own extension: its terminal takes the serial port as bytes. */
  get isOwnExtension(): boolean {
    return this.own;
  }

  introduce(argument: P.InitializeRequestArguments): void {
    this.introduced = argument;
  }
  launches(argument: object): void {
    this.own = OWN_EXTENSION in argument;
  }
}
