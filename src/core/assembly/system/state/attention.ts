// What makes run() look at the boundary before the next instruction (boundary.ts).
import * as L from '../../../layout';

/** Something changed that lines 1 to 8 ask for. */
export function attend(): void { store<u32>(L.ATTENTION, load<u32>(L.ATTENTION) | L.ATTENTION_EVENT); }
