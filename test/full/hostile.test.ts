// Random programs at length: about 10 minutes. See test/core/hostile.test.ts.
import { describeHostile } from '../core/hostile-test.ts';

describeHostile(2000, 200, 0x7057);
