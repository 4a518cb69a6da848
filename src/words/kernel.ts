// Where a Linux kernel gives up, in words.
import { english, type Translate } from './translate.ts';

/** @param message the format of panic()'s message, when it could be read */
export function panicSentence(vcpu: number, message: string | undefined, t: Translate = english): string {
  return message === undefined
    ? t('The kernel panics on vCPU {vcpu}. panic() has not run yet.', { vcpu })
    : t('The kernel panics on vCPU {vcpu}: "{message}". panic() has not run yet.', { vcpu, message });
}
export function oopsSentence(vcpu: number, t: Translate = english): string {
  return t('Kernel oops on vCPU {vcpu}: the kernel has caught a fault in its own code and is about to report it.', {
    vcpu,
  });
}
