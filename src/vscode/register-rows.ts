// The Debug Registers view's rows in words, without VS Code.
import type { DebugRegisterRow, DebugRegistersBody } from '../dap/custom.ts';
import type { TreeRow } from './tree-row.ts';

const TYPES: Readonly<Record<DebugRegisterRow['type'], string>> = {
  execute: 'execute',
  write: 'write',
  readWrite: 'read or write',
  io: 'port I/O',
};
const count = (number: number, what: string): string => `${number} ${what}${number === 1 ? '' : 's'}`;
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function ownerOf(row: DebugRegisterRow): { readonly words: string; readonly icon: string; readonly color?: string } {
  if (row.bank === 'guest') {
    return row.enabled
      ? { words: "guest's own", icon: 'reply', color: 'trapline.guestForeground' }
      : { words: 'off', icon: 'circle-outline' };
  }
  if (row.owner === 'free') return { words: 'free', icon: 'circle-outline' };
  const words = row.owner === 'raw' ? 'set by a control request' : row.owner;
  return { words, icon: 'shield', color: 'trapline.hostForeground' };
}

function registerRow(vcpu: number, row: DebugRegisterRow): TreeRow {
  const owner = ownerOf(row);
  const label = `${capital(row.bank)} DR${row.index}`;
  const place = row.symbol === undefined ? row.address : `${row.address} <${row.symbol}>`;
  const used = row.bank === 'guest' ? row.enabled : row.owner !== 'free';
  // A guest's register that is off keeps its value, and the guest may look at it.
  const kept = row.bank === 'guest' && !used && BigInt(row.address) !== 0n ? ` · holds ${place}` : '';
  const bytes = count(row.length, 'byte');
  // There is room for some thirty characters; the tooltip has everything.
  const name = row.bank === 'host' && row.owner !== 'raw' ? row.owner : (row.symbol ?? row.address);
  const short = [name, `${TYPES[row.type]} ${row.length}`, ...(row.hits === 0 ? [] : [count(row.hits, 'hit')])];
  const facts = [owner.words, place, bytes, TYPES[row.type], count(row.hits, 'hit')];
  if (row.filteredHits > 0)
    facts.push(`${count(row.filteredHits, 'access')} beside the range`.replace('accesss', 'accesses'));
  if (row.references > 1) facts.push(`shared by ${row.references} breakpoints`);
  return {
    id: `vcpu${vcpu}.${row.bank}${row.index}`,
    label,
    description: used ? short.join(' · ') : `${owner.words}${kept}`,
    tooltip: used
      ? [`${label} of vCPU ${vcpu}`, ...facts].join('\n')
      : `${label} of vCPU ${vcpu}: ${owner.words}${kept}`,
    accessible: used ? `${label}: ${facts.join(', ')}` : `${label}: ${owner.words}${kept}`,
    icon: owner.icon,
    ...(owner.color === undefined ? {} : { color: owner.color }),
    children: [],
  };
}

/** For each vCPU a row with the account of its slots, and under it four rows of the host's bank and four of the guest's. */
export function registerRows(body: DebugRegistersBody): readonly TreeRow[] {
  return body.vcpus.map(({ vcpu, threadId, hostInUse, guestInUse, rows }) => {
    const banks = (['host', 'guest'] as const).map((bank) => rows.filter((row) => row.bank === bank));
    const description = `host ${hostInUse} of 4 in use · guest ${guestInUse} of 4`;
    return {
      id: `vcpu${vcpu}`,
      label: `vCPU ${vcpu}`,
      description,
      tooltip: `Debug registers of vCPU ${vcpu}: ${description}`,
      accessible: `vCPU ${vcpu}, ${description}`,
      expanded: vcpu === 0,
      threadId,
      children: banks.flat().map((row) => registerRow(vcpu, row)),
    };
  });
}

/** Host slots in use on the vCPU that has least left. */
export const slotsInUse = (body: DebugRegistersBody): number =>
  Math.max(0, ...body.vcpus.map(({ hostInUse }) => hostInUse));
