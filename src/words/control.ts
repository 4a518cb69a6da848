// Why the raw control call was refused (guest-debug-spec 2.1).
import type { ControlRefusal } from '../guestdebug/api.ts';
import { hex } from './places.ts';
import { holdersText } from './refusals.ts';
import { english, type Translate } from './translate.ts';

export function controlRefusalText(refusal: ControlRefusal, t: Translate = english): string {
  switch (refusal.kind) {
    case 'noSuchVcpu':
      return t('vCPU {vcpu} does not exist.', { vcpu: refusal.vcpu });
    case 'running':
      return t('vCPU {vcpu} is running; pause it first.', { vcpu: refusal.vcpu });
    case 'slotsHeld': {
      const { vcpu, holders } = refusal;
      return t('vCPU {vcpu}: a wanted slot is held ({holders}).', {
        vcpu,
        holders: holdersText(holders, undefined, t),
      });
    }
    case 'exceptionPending':
      return refusal.half
        ? t('vCPU {vcpu}: an exception is already pending or half delivered.', { vcpu: refusal.vcpu })
        : t('vCPU {vcpu}: an exception is already pending.', { vcpu: refusal.vcpu });
    case 'noBreakpointStop':
      return t('vCPU {vcpu}: no #BP stop at this RIP; pass insnLength (1 to 15).', { vcpu: refusal.vcpu });
    default:
      return requestText(refusal, t);
  }
}
/** What is wrong with the request itself, whatever the machine does. */
function requestText(
  refusal: Exclude<
    ControlRefusal,
    { readonly kind: 'noSuchVcpu' | 'running' | 'slotsHeld' | 'exceptionPending' | 'noBreakpointStop' }
  >,
  t: Translate,
): string {
  switch (refusal.kind) {
    case 'notAWord':
      return t('control is not a 32-bit word.');
    case 'unknownBits':
      return t('control has unknown bits {bits}; capabilities() lists the known ones.', { bits: hex(refusal.bits) });
    case 'pad':
      return t('pad is {pad}, must be 0.', { pad: refusal.pad });
    case 'registerCount': {
      const { count, wanted } = refusal;
      return t('debugreg has {count} values, must have {wanted}.', { count, wanted });
    }
    case 'tooWide':
      return t('debugreg has a value of more than 64 bits.');
    case 'bothInjections':
      return t('INJECT_DB and INJECT_BP exclude each other.');
    case 'instructionLength': {
      const { length, most } = refusal;
      return t('insnLength is {length}, must be 1 to {most}.', { length, most });
    }
    case 'registerNotZero': {
      const values = { index: refusal.index, value: hex(refusal.value) };
      return refusal.index === 6 && !refusal.injectDb
        ? t('debugreg[{index}] is {value}, must be 0 without INJECT_DB.', values)
        : t('debugreg[{index}] is {value}, must be 0.', values);
    }
    case 'noCause':
      return t('debugreg[6] has bits {bits} that are no cause of a #DB.', { bits: hex(refusal.bits) });
    case 'dr7Wide':
      return t('debugreg[7] is {value}: bits 63:32 must be 0.', { value: hex(refusal.value) });
    case 'slotLength': {
      const { slot, length } = refusal;
      return refusal.type === 'execute'
        ? t('slot {slot}: type execute needs length 1, not {length}.', { slot, length })
        : t('slot {slot}: an I/O slot has length 1, 2 or 4, not {length}.', { slot, length });
    }
    case 'slotAlignment': {
      const { slot, length } = refusal;
      const address = hex(refusal.address);
      return t('slot {slot}: address {address} is not aligned to its {length} bytes.', { slot, address, length });
    }
    case 'slotPort':
      return t('slot {slot}: port {port} is above 0xffff.', { slot: refusal.slot, port: hex(refusal.address) });
    case 'slotAddress': {
      const { slot, address } = refusal;
      return t('slot {slot}: address {address} is not canonical.', { slot, address: hex(address) });
    }
  }
}
