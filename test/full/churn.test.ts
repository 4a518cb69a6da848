// The long form of test/jit/churn.test.ts: 15 minutes. The time must be set before that file is read.
import { env } from 'node:process';

env['TRAPLINE_CHURN_MINUTES'] ??= '15';
await import('../jit/churn.test.ts');
