// Random programs at length: about 10 minutes. See test/core/hostile.test.ts.
import { describeHostile } from '../core/hostile-test.ts';

describeHostile(Number(process.env['TRAPLINE_HOSTILE_PROGRAMS'] ?? 1200), 0x7057);
