// A kind of place that breakpoints can be put into. The register knows them by this interface alone: software watches or
// breakpoints in time are one more of them.
import type { BreakpointRequest, Placement, Refusal } from './api.ts';

export interface PlaceRequest {
  readonly id: number;
  readonly request: BreakpointRequest;
  readonly vcpus: ReadonlySet<number>;
}
export type Placed =
  { readonly ok: true; readonly placement: Placement } | { readonly ok: false; readonly refusal: Refusal };

export interface Places {
  /** Puts a breakpoint into places of this kind, all of it or none. */
  take(wanted: PlaceRequest): Placed;
  /** Gives back whatever a breakpoint has. One that has nothing is no error. */
  release(id: number): void;
  /** A disabled breakpoint keeps its places; nothing acts there for it. */
  setEnabled(id: number, enabled: boolean): void;
  /** Gives back the addresses of a breakpoint that are chosen; kinds whose places are not addresses have none to give. */
  withdraw?(id: number, chosen: (linear: bigint) => boolean): void;
}

/** The addresses of an execution breakpoint, each once. */
export function addressesOf(linear: bigint | readonly bigint[]): readonly bigint[] {
  return typeof linear === 'bigint' ? [linear] : [...new Set(linear)];
}
