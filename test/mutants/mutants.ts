// The mutants: a fault of one place each, over all rooms below the protocol's doors, and the tests that have to catch it.
import { debuggerMutants, guestDebugMutants } from './debugging-mutants.ts';
import { coreMutants, machineMutants } from './engine-mutants.ts';
import type { Mutant } from './mutant.ts';
import { dapMutants, symbolMutants } from './protocol-mutants.ts';

export const mutants: readonly Mutant[] = [
  ...coreMutants,
  ...machineMutants,
  ...guestDebugMutants,
  ...debuggerMutants,
  ...symbolMutants,
  ...dapMutants,
];
