// The same code in two engines, one of which may compile: what the tests of equivalence start from.
import { Engine, type EngineModules, type EngineOptions } from '../../src/core/engine.ts';
import * as L from '../../src/core/layout.ts';
import { Jit, type JitOptions } from '../../src/jit/jit.ts';
import { emptyHost } from '../oracle/engine-host.ts';

export const CODE = 0x100000;
export const DATA = 0x200000;
const MEMORY = 16 << 20;

export interface Run {
  readonly engine: Engine;
  readonly jit: Jit | undefined;
}
export interface StartOptions {
  readonly engine?: Pick<EngineOptions, 'arenaSize'>;
  readonly jit?: JitOptions;
}
/** Ring 0, 64-bit, RAM identity-mapped by 4 KiB pages below 2 MiB + data, 2 MiB pages above. No IDT: a fault ends in shutdown. */
export function start(
  modules: EngineModules,
  code: Uint8Array,
  threshold: number,
  registers: readonly bigint[],
  more: StartOptions = {},
): Run {
  const engine = new Engine({ modules, host: emptyHost, vcpus: 1, memorySize: MEMORY, ...more.engine });
  const { rawView: view, ram } = engine;
  view.setBigUint64(ram + 0x1000, 0x2003n, true);
  view.setBigUint64(ram + 0x2000, 0x3003n, true);
  for (let i = 0; i < MEMORY >> 21; i++) view.setBigUint64(ram + 0x3000 + i * 8, BigInt(i * 0x200000) | 0x83n, true);
  engine.vcpu().cr0 = 0x80000033n;
  engine.vcpu().cr3 = 0x1000n;
  engine.vcpu().cr4 = 0x620n;
  engine.vcpu().efer = 0x500n;
  for (const [segment, attributes] of [
    ['cs', 0xa09b],
    ['ss', 0xc093],
    ['ds', 0xc093],
    ['es', 0xc093],
  ] as const) {
    Object.assign(engine.vcpu()[segment], { base: 0n, limit: 0xffffffff, attributes });
  }
  engine.system.updateMode();
  engine.writePhysical(CODE, code);
  registers.forEach((value, i) => engine.vcpu().setRegs(i, value));
  engine.vcpu().rip = BigInt(CODE);
  engine.hotThreshold = threshold;
  const { coreBytes } = modules;
  const jit = threshold > 0 && coreBytes !== undefined ? new Jit(coreBytes, engine, more.jit) : undefined;
  if (jit !== undefined) engine.onHot = (block) => jit.hot(block);
  return { engine, jit };
}
export function stateOf({ engine }: Run): string {
  engine.system.canonicaliseFlags();
  const registers = Array.from({ length: 16 }, (_, i) => engine.vcpu().regs(i).toString(16));
  const xmm = Buffer.from(engine.raw.subarray(L.XMM, L.XMM + 256)).toString('hex');
  let sum = 0;
  for (const byte of engine.ramView(DATA, 0x10000)) sum = (sum * 31 + byte) >>> 0;
  const rip = engine.vcpu().rip.toString(16);
  return `${registers.join(' ')} rip ${rip} rflags ${engine.system.rflags().toString(16)} cr2 ${engine.vcpu().cr2.toString(16)} activity ${engine.vcpu().activity} data ${sum} xmm ${xmm} mxcsr ${engine.vcpu().mxcsr.toString(16)}`;
}
