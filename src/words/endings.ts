// How the guest ended.
import type { Ending, TripleFault } from '../guestdebug/api.ts';
import { noNames, placeText, type NameOfCode } from './places.ts';
import { english, type Translate } from './translate.ts';
import { vectorName } from './vectors.ts';

export function endingSentence(ending: Ending, t: Translate = english): string {
  switch (ending.kind) {
    case 'exit': {
      const { value, status } = ending;
      return t('The guest wrote {value} to isa-debug-exit: status {status}.', { value, status });
    }
    case 'powerOff':
      return t('The guest powered the machine off.');
    case 'reset':
      return t('The guest reset the machine through {source}.', { source: ending.source });
    case 'tripleFault':
      return tripleFaultSentence(ending, noNames, t);
  }
}
export function tripleFaultSentence({ vcpu, rip, chain }: TripleFault, nameOf: NameOfCode, t: Translate): string {
  const vectors = chain.map((one) =>
    t('{vector} at {at}', { vector: vectorName(one.vector), at: placeText(one.rip, nameOf) }),
  );
  const at = placeText(rip, nameOf);
  return t('vCPU {vcpu} shut down by a triple fault at {at}; vectors: {vectors}.', {
    vcpu,
    at,
    vectors: vectors.join(', '),
  });
}
