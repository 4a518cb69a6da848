// The engine against the processor of this machine at length: see test/oracle/cpu.
import { describeProcessor } from '../oracle/cpu/campaign-test.ts';

describeProcessor(1_000_000, 0xf11);
