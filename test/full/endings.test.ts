// The long form of test/dap/endings.test.ts: 1,000 endings, from a fresh seed that it prints. The number must be set before
// that file is read.
import { env } from 'node:process';

env['TRAPLINE_ENDINGS'] ??= '1000';
await import('../dap/endings.test.ts');
