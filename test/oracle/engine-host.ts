// What an engine runs on in tests: a machine without devices.
import type { EngineHost } from '../../src/core/engine.ts';

/** Nothing answers: reads are all-ones, as on a bus with pull-ups. */
export const emptyHost: EngineHost = {
  mmioRead: () => 0xffff_ffff_ffff_ffffn,
  mmioWrite: () => undefined,
  portRead: () => 0xffff_ffff,
  portWrite: () => undefined,
  acknowledgeInterrupt: () => 0xff,
  msrKnown: () => false,
  msrRead: () => 0n,
  msrWrite: () => true,
  taskPriorityRead: () => 0,
  taskPriorityWrite: () => undefined,
  log: () => undefined,
  delivered: () => undefined,
  splitAt: () => false,
  splitCount: () => 0,
};
