/** The exception filters as the client set them last; a restart brings them to the new machine. */
import type { GuestDebugApi } from '../guestdebug/api.ts';

export class ExceptionFilters {
  private catching: Parameters<GuestDebugApi['setCatch']>[0] = { bp: 'off', db: false };
  private shutdown = true;
  private chosen = false;

  /** Whether filters were set, so that the defaults do not hold. */
  get areSet(): boolean {
    return this.chosen;
  }

  /** Whether a triple fault stops, or ends the session as a reset does. */
  get stopAtShutdown(): boolean {
    return this.shutdown;
  }

  set(filters: readonly string[]): void {
    this.chosen = true;
    this.catching = { bp: filters.includes('guestBp') ? 'exception' : 'off', db: filters.includes('guestDb') };
    this.shutdown = filters.includes('tripleFault');
  }
  applyTo(api: Pick<GuestDebugApi, 'setCatch'>): void {
    api.setCatch(this.catching);
  }
}
