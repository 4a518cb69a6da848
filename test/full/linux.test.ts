// The long form of the Linux tests: 1 to 16 vCPUs, and three runs of 500 million instructions. The settings must be made
// before those files are read.
import { env } from 'node:process';

env['TRAPLINE_LINUX_CPUS'] ??= '1,2,4,8,16';
env['TRAPLINE_LINUX_INSTRUCTIONS'] ??= '500000000';
env['TRAPLINE_LINUX_ROUNDS'] ??= '2';
await import('../machine/linux-boot.test.ts');
await import('../machine/linux-determinism.test.ts');
