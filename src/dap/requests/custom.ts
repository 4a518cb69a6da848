/** The requests of our own views; custom.ts documents them. */
import type { SlotRow, VcpuStatus } from '../../guestdebug/api.ts';
import { compiledShare, type MachineApi } from '../../machine/api.ts';
import { ledgerRow, type LedgerRow } from '../../words/ledger.ts';
import { statusBadge, statusSentence } from '../../words/stops.ts';
import type { DebugRegisterRow, MachineBody, MachineVcpu, PlaceBody } from '../custom.ts';
import { ProtocolError } from '../errors.ts';
import type { Group } from '../protocol.ts';
import { fromBase64 } from '../serial.ts';
import type { Session } from '../session.ts';
import { threadId } from '../stops.ts';

const hex = (value: bigint): string => `0x${value.toString(16)}`;
const LEDGER_LIMIT = 2000;

export function custom(
  session: Session,
): Group<
  'trapline/machine' | 'trapline/debugRegisters' | 'trapline/ledger' | 'trapline/place' | 'trapline/serialInput'
> {
  return {
    async 'trapline/machine'() {
      const { machine } = session.debugger;
      const running = session.state === 'running';
      const vcpus: MachineVcpu[] = [];
      for (const status of session.debugger.vcpus()) vcpus.push(await machineVcpu(session, status, running));
      return {
        running,
        ended: session.state === 'ended',
        clock: String(machine.clock),
        instructions: String(machine.instructions),
        memory: machine.options.memorySize,
        profile: machine.options.profile ?? 'intel',
        ...machineJit(machine),
        vcpus,
      };
    },

    async 'trapline/debugRegisters'() {
      const { api, target } = session.debugger;
      const vcpus = [];
      for (let vcpu = 0; vcpu < target.vcpus; vcpu++) {
        const slots = api.slots(vcpu);
        const rows: DebugRegisterRow[] = [];
        for (const slot of slots) rows.push(await debugRegisterRow(session, slot));
        const inUse = (bank: 'host' | 'guest'): number =>
          slots.filter((slot) => slot.bank === bank && slot.enabled).length;
        vcpus.push({ vcpu, threadId: threadId(vcpu), hostInUse: inUse('host'), guestInUse: inUse('guest'), rows });
      }
      return { policy: api.policy, vcpus };
    },

    async 'trapline/ledger'(argument) {
      const { api, modules } = session.debugger;
      const { from } = argument;
      const count = Math.min(argument.count, LEDGER_LIMIT);
      const rows: LedgerRow[] = [];
      for (const entry of api.ledger(from, count)) rows.push(ledgerRow(entry, await modules.describe(entry.rip)));
      return { size: api.ledgerSize, from, rows };
    },

    'trapline/place': (argument) => placeOf(session, argument.address).then((place) => place ?? null),

    'trapline/serialInput'(argument) {
      const bytes = fromBase64(argument.data);
      if (bytes === undefined)
        throw new ProtocolError('badArguments', `The 'data' of trapline/serialInput must be base64.`);
      if (session.state !== 'ended') session.debugger.machine.sendSerial(bytes);
      return undefined;
    },
  };
}

function machineJit(machine: MachineApi): Pick<MachineBody, 'jit'> {
  const { jitStatistics } = machine;
  if (jitStatistics === undefined) return {};
  const { regions, modules, compileMs, exits, failures } = jitStatistics;
  return { jit: { share: compiledShare(machine), regions, modules, compileMs, exits, failures } };
}

async function machineVcpu(session: Session, status: VcpuStatus, running: boolean): Promise<MachineVcpu> {
  const { modules, api, machine } = session.debugger;
  const symbol = await modules.describe(status.pc);
  const interruptsOff = machine.interruptsOffFor(status.vcpu);
  const place = running ? undefined : await placeOf(session, status.pc);
  const focused = !running && session.lastStop?.reason.vcpu === status.vcpu;
  const said = focused ? session.lastStop?.reason : undefined;
  return {
    vcpu: status.vcpu,
    threadId: threadId(status.vcpu),
    state: status.state,
    activity: status.activity,
    badge: running ? '' : (said?.badge ?? statusBadge(status, session.t)),
    sentence: running ? '' : (said?.text ?? statusSentence(status, undefined, session.t)),
    reporting: !running && (focused || api.reporter?.vcpu === status.vcpu),
    ring: status.cpl,
    mode: status.mode,
    pc: hex(status.pc),
    ...(symbol === undefined ? {} : { symbol }),
    ...(place === undefined ? {} : { place }),
    ...(status.lastTrap === undefined
      ? {}
      : { lastTrap: ledgerRow(status.lastTrap, await modules.describe(status.lastTrap.rip)) }),
    ...(interruptsOff === undefined ? {} : { interruptsOffFor: String(interruptsOff) }),
  };
}

async function debugRegisterRow(session: Session, slot: SlotRow): Promise<DebugRegisterRow> {
  const { modules } = session.debugger;
  const symbol = slot.address === 0n ? undefined : await modules.describe(slot.address);
  const breakpointId = typeof slot.owner === 'object' ? slot.owner.breakpoint : undefined;
  const label = breakpointId === undefined ? undefined : session.breakpointIds.label(breakpointId);
  const free = !slot.enabled && slot.references === 0;
  const owner =
    typeof slot.owner === 'object' ? (label ?? 'breakpoint') : free && slot.bank === 'host' ? 'free' : slot.owner;
  return {
    bank: slot.bank,
    index: slot.index,
    enabled: slot.enabled,
    owner,
    ...(breakpointId === undefined ? {} : { breakpointId }),
    address: hex(slot.address),
    ...(symbol === undefined ? {} : { symbol }),
    length: slot.length,
    type: slot.type,
    hits: slot.hits,
    filteredHits: slot.filteredHits,
    references: slot.references,
  };
}

/** The place of an address in source, else in a listing. */
async function placeOf(session: Session, address: bigint): Promise<PlaceBody | undefined> {
  const { paths, listings } = session.launched;
  const module = session.debugger.modules.at(address);
  const line = module === undefined ? null : await module.lineAt(address);
  if (line !== null && line.line > 0) {
    const path = await paths.local(line.file.path);
    if (path !== undefined) return { path, line: line.line };
  }
  if (session.debugger.target.readLinear(session.focus, address, 1).length === 0) return undefined;
  const place = await listings.place(session.focus, address);
  return { sourceReference: place.reference, line: place.line };
}
