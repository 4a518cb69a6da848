// The long form of test/machine/disk-kill.test.ts. The number must be set before that file is read.
import { env } from 'node:process';

env['TRAPLINE_KILLS'] ??= '200';
await import('../machine/disk-kill.test.ts');
