// Helpers that the guest-debug tests share.
import assert from 'node:assert/strict';
import type { SetResult, SliceResult, StopRecord } from '../../src/guestdebug/api.ts';
import type { GuestDebug } from '../../src/guestdebug/guest-debug.ts';
import { placementText, refusalText } from '../../src/words/refusals.ts';
import { controlRefusalText } from '../../src/words/control.ts';
import { stopSentence } from '../../src/words/stops.ts';

/** Runs until a stop; fails when none comes. */
export function untilStop(layer: GuestDebug, ticks = 10_000): StopRecord {
  const result = layer.runSlice(ticks);
  assert.equal(result.kind, 'stopped', `expected a stop, got ${JSON.stringify(result.kind)}`);
  return stopOf(result);
}
export function stopOf(result: SliceResult): StopRecord {
  if (result.kind !== 'stopped') throw new Error(`expected a stop, got ${result.kind}`);
  return result.reporter;
}
/** Continues; the next stop, whether it was queued or has to be run to. */
export function next(layer: GuestDebug, ticks = 10_000): StopRecord {
  const result = layer.resume({ kind: 'continue' });
  return result.kind === 'stopped' ? result.reporter : untilStop(layer, ticks);
}
/** One instruction of a vCPU. */
export function step(layer: GuestDebug, vcpu: number, mode: 'insn' | 'insn-whole' | 'branch' = 'insn'): StopRecord {
  const result = layer.resume({ kind: 'step', vcpu, mode });
  return result.kind === 'stopped' ? result.reporter : untilStop(layer);
}
/** Runs on and expects no stop within `ticks`. */
export function noStop(layer: GuestDebug, ticks: number): void {
  const result = layer.stopped ? layer.resume({ kind: 'continue' }) : undefined;
  if (result?.kind === 'stopped') assert.fail(`unexpected stop: ${stopSentence(result.reporter)}`);
  const run = layer.runSlice(ticks);
  assert.notEqual(run.kind, 'stopped', run.kind === 'stopped' ? stopSentence(run.reporter) : '');
}
export function idOf(result: SetResult): number {
  if (!result.verified) throw new Error(`refused: ${refusalText(result.refusal)}`);
  return result.id;
}
/** What the user reads of it: where it went, or why not. */
export function messageOf(result: SetResult): string {
  return result.verified ? placementText(result.placement) : refusalText(result.refusal);
}
/** Why the last raw control call was refused, in words; empty when it was not. */
export function controlMessage({ controlRefusal }: GuestDebug): string {
  return controlRefusal === undefined ? '' : controlRefusalText(controlRefusal);
}
