// All of the seeded faults: see test/oracle/seeded-faults.ts.
import { describeSeededFaults } from '../oracle/seeded-faults-test.ts';
import { SEEDED_FAULTS } from '../oracle/seeded-faults.ts';

describeSeededFaults(SEEDED_FAULTS);
