// A guest may run anything: random bytes in every mode and ring, in both engines, end in guest faults, never in a trap of the
// host, a hang or an access outside of guest memory. About 30 seconds on two cores of 2020; test/full has the long one.
import { describeHostile } from './hostile-test.ts';

describeHostile(60, 8, 104729);
