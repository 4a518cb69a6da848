// All faults seeded into the JIT: see test/jit/seeded-faults.ts.
import { describeJitFaults } from '../jit/seeded-faults-test.ts';
import { JIT_FAULTS } from '../jit/seeded-faults.ts';

describeJitFaults(JIT_FAULTS);
