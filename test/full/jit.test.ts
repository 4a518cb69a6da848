// The long form of test/jit: 5,000 random programs in both engines. The number must be set before that file is read.
import { env } from 'node:process';

env['TRAPLINE_PROGRAMS'] ??= '5000';
await import('../jit/equivalence.test.ts');
