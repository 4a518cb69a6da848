// What went against the rules of the guest-debug layer itself, and the dump that belongs to it (guest-debug-spec 2.9).
import type { InternalFault, SlotViolation } from '../guestdebug/api.ts';
import type { InternalErrorDump } from '../guestdebug/internal-error.ts';
import { hex, noNames, placeText, type NameOfCode } from './places.ts';
import { english, type Translate } from './translate.ts';
import { causesText, dispositionText, ruleText } from './ledger.ts';

export function faultSentence(fault: InternalFault, nameOf: NameOfCode = noNames, t: Translate = english): string {
  const { vcpu } = fault;
  switch (fault.code) {
    case 'unattributed': {
      const { vector, rip } = fault;
      const at = placeText(rip, nameOf);
      return t('vCPU {vcpu}: vector {vector} at {at} belongs to no rule of the ownership table.', { vcpu, vector, at });
    }
    case 'lostLease': {
      const instructions = String(fault.instructions);
      return t('vCPU {vcpu}: a step saw no boundary for {instructions} instructions.', { vcpu, instructions });
    }
    case 'slotAccounting':
      return violationSentence(fault.violation, t);
    case 'stopWithoutEvent':
      return t('vCPU {vcpu} stopped, but nothing says why.', { vcpu });
  }
}
function violationSentence(violation: SlotViolation, t: Translate): string {
  switch (violation.kind) {
    case 'count': {
      const { vcpu, used, free } = violation;
      return t('vCPU {vcpu}: {used} host slots in use and {free} free do not make four.', { vcpu, used, free });
    }
    case 'noOwner': {
      const { vcpu, slot } = violation;
      return t('vCPU {vcpu}: H{slot} is in use but has no owner.', { vcpu, slot });
    }
    case 'unknownOwner': {
      const { vcpu, slot, id } = violation;
      return t('vCPU {vcpu}: H{slot} belongs to breakpoint {id}, which does not exist.', { vcpu, slot, id });
    }
  }
}

/** The dump as lines, for whoever reports the fault; register names and numbers, nothing to translate. */
export function dumpLines(dump: InternalErrorDump): readonly string[] {
  const { vcpu, pc, code, guest, host, pending, shadow, decisions } = dump;
  const bytes = [...code].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return [
    `vCPU ${vcpu} at ${hex(pc)}: ${bytes}`,
    `guest DR0-3 ${guest.addresses.map(hex).join(' ')} DR6 ${hex(guest.dr6)} DR7 ${hex(guest.dr7)}`,
    `host DR0-3 ${host.addresses.map(hex).join(' ')} DR7 ${hex(host.dr7)}`,
    `pending: guest ${hex(pending.guest)}, host ${hex(pending.host)}; shadow ${shadow}`,
    ...decisions.map((row) => {
      const decided = `${row.owner} ${dispositionText(row.disposition)} (${ruleText(row.rule)})`;
      return `${row.sequence} vCPU ${row.vcpu} ${causesText(row)} ${decided}`;
    }),
  ];
}
