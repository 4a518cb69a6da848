// A pending x87 exception at a waiting instruction (SDM 1 8.7).
import * as L from '../../../layout';
import { floatErrorLine } from '../state/host';
import { fault, isNoted, waitInFront } from './raise';
import { MF } from '../state/vectors';

const NE: u64 = 0x20;

/**
 * #MF with CR0.NE. Without it the processor asserts FERR#, which a PC wires to IRQ 13, and waits in front of the
 * instruction for an interrupt, until the handler has cleared the exception. While IGNNE# is asserted it goes on as if
 * there were none (SDM 1 8.7.2, D.2.1.2).
 */
export function floatError(r: usize): void {
  if (isNoted()) return;
  store<u32>(L.CURRENT, <u32>r);
  if (load<u64>(L.CR0) & NE) fault(MF, -1);
  if (load<u32>(L.IGNNE)) return;
  floatErrorLine();
  waitInFront();
}
