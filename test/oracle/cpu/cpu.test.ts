// The engine against the processor of this machine: single instructions in ring 3, everything that the manual defines.
import { describeProcessor } from './campaign-test.ts';

describeProcessor(50_000, 0x15a);
