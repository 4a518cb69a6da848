// CPUID states what is implemented and nothing more: the instructions of every feature that it shows execute, those of every
// feature that it hides are #UD, and it sets no bit that has no name here (SDM 2A CPUID; AMD APM 3 appendix E).
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as L from '../../src/core/layout.ts';
import { disassemble } from '../../src/core/disassembler/index.ts';
import { DATA, Machine } from './machine.ts';
import { cpuid, execute, GP, type Leaf, setCr4, UD } from './single-step.ts';

/** Bit, name, and instructions of the feature; without instructions: it shows in other ways, or is told by an instruction of another. */
type Feature = readonly [bit: number, name: string, ...instructions: string[]];
interface FeatureWord {
  readonly leaf: number;
  readonly sub: number;
  readonly register: keyof Leaf;
  readonly features: readonly Feature[];
}

// RAX points to 64-byte aligned data; memory operands are [rax]
const LEAF_1_D: readonly Feature[] = [
  [0, 'FPU', 'DB E3'],
  [1, 'VME'],
  [2, 'DE'],
  [3, 'PSE'],
  [4, 'TSC', '0F 31'],
  [5, 'MSR', '0F 32'],
  [6, 'PAE'],
  [7, 'MCE'],
  [8, 'CX8', '0F C7 08'],
  [9, 'APIC'],
  [11, 'SEP', '0F 34'],
  [12, 'MTRR'],
  [13, 'PGE'],
  [14, 'MCA'],
  [15, 'CMOV', '0F 44 C1'],
  [16, 'PAT'],
  [17, 'PSE36'],
  [19, 'CLFSH', '0F AE 38'],
  [23, 'MMX', '0F FC C1', '0F 77', '0F 6F C1'],
  [24, 'FXSR', '0F AE 00', '0F AE 08'],
  [25, 'SSE', '0F 57 C1', '0F 18 08', '0F AE F8'],
  [26, 'SSE2', '66 0F EF C1', '66 0F 6F C1', '0F AE E8', '0F C3 08'],
  [28, 'HTT'],
];
const LEAF_1_C: readonly Feature[] = [
  [0, 'SSE3', 'F2 0F 7C C1', 'F2 0F 12 C1', 'F3 0F 16 C1', '66 0F D0 C1'],
  [1, 'PCLMULQDQ', '66 0F 3A 44 C1 00'],
  [3, 'MONITOR', '0F 01 C8'],
  [5, 'VMX', '0F 01 C1', '0F C7 30'],
  [6, 'SMX', '0F 37'],
  [9, 'SSSE3', '66 0F 38 00 C1', '66 0F 38 01 C1', '66 0F 38 0B C1', '66 0F 38 1E C1', '66 0F 3A 0F C1 05'],
  [12, 'FMA', 'C4 E2 71 98 C2', 'C4 E2 F1 B8 C2'],
  [13, 'CX16', '48 0F C7 08'],
  [17, 'PCID'],
  [
    19,
    'SSE4_1',
    '66 0F 38 10 C1',
    '66 0F 38 17 C1',
    '66 0F 38 2A 00',
    '66 0F 38 40 C1',
    '66 0F 3A 0C C1 05',
    '66 0F 3A 21 C1 5A',
  ],
  [20, 'SSE4_2', '66 0F 38 37 C1', 'F2 0F 38 F0 C1', '66 0F 3A 60 C1 00', '66 0F 3A 63 C1 0C'],
  [21, 'X2APIC'],
  [22, 'MOVBE', '0F 38 F0 08', '0F 38 F1 08'],
  [23, 'POPCNT', 'F3 0F B8 C1'],
  [24, 'TSC_DEADLINE'],
  [25, 'AES', '66 0F 38 DC C1', '66 0F 3A DF C1 01'],
  [26, 'XSAVE', '0F AE 20', '48 0F AE 28'],
  [27, 'OSXSAVE', '0F 01 D0'],
  [28, 'AVX', 'C5 F0 58 C2', 'C5 F8 77', 'C4 E1 71 EF C2', 'C4 E2 79 18 C1'],
  [29, 'F16C', 'C4 E2 79 13 C1'],
  [30, 'RDRAND', '0F C7 F1'],
];
const LEAF_7_B: readonly Feature[] = [
  [0, 'FSGSBASE', 'F3 48 0F AE C1'],
  [1, 'TSC_ADJUST'],
  [3, 'BMI1', 'F3 0F BC C1', 'C4 E2 70 F2 C2', 'C4 E2 70 F3 CA', 'C4 E2 70 F3 DA', 'C4 E2 70 F7 C2'],
  [5, 'AVX2', 'C4 E2 7D 78 C1'],
  [7, 'SMEP'],
  [
    8,
    'BMI2',
    'C4 E2 70 F5 C2',
    'C4 E2 73 F5 C2',
    'C4 E2 72 F5 C2',
    'C4 E2 73 F6 C2',
    'C4 E2 71 F7 C2',
    'C4 E3 7B F0 C1 05',
  ],
  [10, 'INVPCID', '66 0F 38 82 00'],
  [11, 'RTM', 'C7 F8 00 00 00 00', '0F 01 D5'],
  [16, 'AVX512F', '62 F1 74 48 58 C2'],
  [18, 'RDSEED', '0F C7 F9'],
  [19, 'ADX', '66 0F 38 F6 C1', 'F3 0F 38 F6 C1'],
  [20, 'SMAP', '0F 01 CA', '0F 01 CB'],
  [23, 'CLFLUSHOPT', '66 0F AE 38'],
  [24, 'CLWB', '66 0F AE 30'],
  [29, 'SHA', '0F 38 C8 C1', '0F 3A CC C1 00'],
];
const LEAF_7_C: readonly Feature[] = [
  [2, 'UMIP'],
  [3, 'PKU', '0F 01 EE'],
  [5, 'WAITPKG', 'F3 0F AE F0'],
  [8, 'GFNI', '66 0F 38 CF C1'],
  [22, 'RDPID', 'F3 0F C7 F9'],
  [24, 'BUS_LOCK_DETECT'],
  [27, 'MOVDIRI', '0F 38 F9 08'],
  [28, 'MOVDIR64B', '66 0F 38 F8 08'],
  [29, 'ENQCMD', 'F2 0F 38 F8 08'],
];
const LEAF_7_D: readonly Feature[] = [
  [14, 'SERIALIZE', '0F 01 E8'],
  [16, 'TSXLDTRK', 'F2 0F 01 E9'],
  [29, 'ARCH_CAPABILITIES'],
];
const LEAF_D_1_A: readonly Feature[] = [
  [0, 'XSAVEOPT', '0F AE 30'],
  [1, 'XSAVEC', '0F C7 20'],
  [3, 'XSAVES', '0F C7 28', '0F C7 18'],
];
const EXTENDED_C: readonly Feature[] = [
  [0, 'LAHF64', '9F', '9E'],
  [1, 'CMP_LEGACY'],
  [2, 'SVM', '0F 01 D8'],
  [5, 'ABM', 'F3 0F BD C1'],
  [6, 'SSE4A', '66 0F 79 C1', 'F2 0F 79 C1'],
  [8, 'PREFETCHW', '0F 0D 08'],
  [11, 'XOP', '8F E8 78 C2 C1 00'],
  [15, 'LWP', '8F E9 78 12 C0'],
  [16, 'FMA4', 'C4 E3 71 68 C2 30'],
  [21, 'TBM', '8F E9 78 01 C8'],
  [29, 'MONITORX', '0F 01 FA'],
];
const EXTENDED_D: readonly Feature[] = [
  ...LEAF_1_D.filter(([bit]) => ((0x0183f3ff >> bit) & 1) !== 0).map(([bit, name]): Feature => [
    bit,
    `${name} (again)`,
  ]),
  [11, 'SYSCALL', '0F 05'],
  [20, 'NX'],
  [22, 'MMXEXT'],
  [26, 'PAGE_1G'],
  [27, 'RDTSCP', '0F 01 F9'],
  [29, 'LM'],
  [31, '3DNOW', '0F 0F C1 9E'],
];
const EXTENDED_8_B: readonly Feature[] = [
  [0, 'CLZERO', '0F 01 FC'],
  [2, 'XSAVEERPTR'],
  [4, 'RDPRU', '0F 01 FD'],
  [26, 'SSB_NO'],
  [29, 'BTC_NO'],
];
const WORDS: readonly FeatureWord[] = [
  { leaf: 1, sub: 0, register: 'edx', features: LEAF_1_D },
  { leaf: 1, sub: 0, register: 'ecx', features: LEAF_1_C },
  { leaf: 7, sub: 0, register: 'ebx', features: LEAF_7_B },
  { leaf: 7, sub: 0, register: 'ecx', features: LEAF_7_C },
  { leaf: 7, sub: 0, register: 'edx', features: LEAF_7_D },
  { leaf: 0xd, sub: 1, register: 'eax', features: LEAF_D_1_A },
  { leaf: 0x80000001, sub: 0, register: 'ecx', features: EXTENDED_C },
  { leaf: 0x80000001, sub: 0, register: 'edx', features: EXTENDED_D },
  { leaf: 0x80000008, sub: 0, register: 'ebx', features: EXTENDED_8_B },
];
/** What both profiles show at least. */
const SHOWN =
  'MMX CX16 SSSE3 SSE4_1 SSE4_2 MOVBE POPCNT XSAVE OSXSAVE RDRAND FSGSBASE BMI1 BMI2 RDSEED ADX SMEP SMAP CLFLUSHOPT RDPID ' +
  'LAHF64 ABM PREFETCHW SYSCALL NX RDTSCP LM';

/** FSGSBASE, OSXSAVE: what has to be enabled for the instructions. */
const CR4_ENABLED = 0x50000n;

function prepared(profile: 'intel' | 'amd'): Machine {
  const machine = new Machine({ profile });
  setCr4(machine, CR4_ENABLED);
  return machine;
}
/** An instruction after which the machine is as good as new. */
function vectorOf(machine: Machine, code: string): number | undefined {
  const { engine } = machine;
  const saved = engine.raw.slice(L.STATE, L.STATE_END);
  machine.setRegister(0, BigInt(DATA));
  machine.setRegister(1, code === '0F 32' ? 0x10n : 0n);
  const vector = execute(machine, code);
  engine.raw.set(saved, L.STATE);
  engine.system.updateMode();
  return vector;
}

describe('CPUID', () => {
  for (const profile of ['intel', 'amd'] as const) {
    it(`${profile}: a feature is shown exactly when its instructions are there`, () => {
      const machine = prepared(profile);
      const shown = new Set<string>();
      const wrong: string[] = [];
      for (const { leaf, sub, register, features } of WORDS) {
        let rest = cpuid(machine, leaf, sub)[register];
        for (const [bit, name, ...instructions] of features) {
          const isShown = ((rest >>> bit) & 1) !== 0;
          if (isShown) shown.add(name);
          rest = (rest & ~(1 << bit)) >>> 0;
          for (const code of instructions) {
            const there = vectorOf(machine, code) !== UD;
            if (there !== isShown)
              wrong.push(`${name} is ${isShown ? 'shown' : 'hidden'}, but ${code} is ${there ? 'there' : '#UD'}`);
            // what is hidden may decode as long as it is refused
            const { valid } = disassemble(Uint8Array.from(Buffer.from(code.replaceAll(' ', ''), 'hex')), 0n, 64);
            if (isShown && !valid) wrong.push(`${name} is shown, but the disassembler does not know ${code}`);
          }
        }
        if (rest !== 0) wrong.push(`leaf ${leaf.toString(16)} ${register}: bits ${rest.toString(16)} have no name`);
      }
      assert.deepEqual(wrong, []);
      assert.deepEqual(
        SHOWN.split(' ').filter((name) => !shown.has(name)),
        [],
      );
    });
  }
  it("MMXEXT is AMD's name for instructions on MMX registers that Intel has as a part of SSE", () => {
    const mmxext = (profile: 'intel' | 'amd'): number => (cpuid(new Machine({ profile }), 0x80000001).edx >>> 22) & 1;
    assert.deepEqual([mmxext('intel'), mmxext('amd')], [0, 1]);
    const machine = prepared('amd');
    // PAVGB PAVGW PMINUB PMAXUB PMINSW PMAXSW PMULHUW PSADBW PMOVMSKB PSHUFW PINSRW PEXTRW MOVNTQ MASKMOVQ SFENCE PREFETCHNTA
    const codes =
      '0F E0 C1,0F E3 C1,0F DA C1,0F DE C1,0F EA C1,0F EE C1,0F E4 C1,0F F6 C1,0F D7 C1,0F 70 C1 1B,' +
      '0F C4 C1 02,0F C5 C1 02,0F E7 08,0F F7 C1,0F AE F8,0F 18 00';
    for (const code of codes.split(',')) assert.notEqual(vectorOf(machine, code), UD, code);
  });
  it('OSXSAVE follows CR4', () => {
    const machine = new Machine();
    assert.equal((cpuid(machine, 1).ecx >>> 26) & 3, 1);
    setCr4(machine, 0x40000n);
    assert.equal((cpuid(machine, 1).ecx >>> 26) & 3, 3);
  });
  it('RDPID and RDTSCP answer IA32_TSC_AUX', () => {
    const machine = new Machine();
    machine.engine.vcpu().msrTscAux = 0x1234_5678n;
    machine.setRegister(1, ~0n);
    assert.equal(execute(machine, '66 F3 0F C7 F9'), undefined); // rdpid rcx: 64 bits, whatever the prefix says
    assert.equal(machine.register(1), 0x1234_5678n);
    assert.equal(execute(machine, '0F 01 F9'), undefined);
    assert.equal(machine.register(1), 0x1234_5678n);
    assert.equal(execute(machine, 'F0 F3 0F C7 F9'), UD);
  });
  it('leaf 0Dh: x87 and SSE state in 576 bytes, nothing else', () => {
    const machine = new Machine();
    assert.deepEqual(cpuid(machine, 0xd, 0), { eax: 3, ebx: 576, ecx: 576, edx: 0 });
    for (const sub of [1, 2, 9]) assert.deepEqual(cpuid(machine, 0xd, sub), { eax: 0, ebx: 0, ecx: 0, edx: 0 });
  });
});

describe('what guests judge side channels by', () => {
  const ARCH_CAPABILITIES = 0x10an;
  const readMsr = (machine: Machine): number | undefined => {
    machine.setRegister(1, ARCH_CAPABILITIES);
    return execute(machine, '0F 32');
  };
  it('intel: an in-order model, and IA32_ARCH_CAPABILITIES that names what it is immune to', () => {
    const machine = new Machine({ profile: 'intel' });
    assert.equal(cpuid(machine, 1).eax, 0x30661); // family 6, model 36h: Linux's NO_SPECULATION
    assert.equal(cpuid(machine, 7).edx >>> 29, 1);
    assert.equal(readMsr(machine), undefined);
    const value = (machine.register(2) << 32n) | machine.register(0);
    const bits = Array.from({ length: 64 }, (_, i) => i).filter((i) => ((value >> BigInt(i)) & 1n) !== 0n);
    assert.deepEqual(bits, [0, 3, 4, 5, 6, 8, 13, 14, 15, 20, 24, 26, 27, 62]);
    machine.setRegister(1, ARCH_CAPABILITIES);
    assert.equal(execute(machine, '0F 30'), GP, 'it is read-only');
  });
  it('amd: a K8, without the MSR', () => {
    const machine = new Machine({ profile: 'amd' });
    assert.equal(cpuid(machine, 1).eax, 0x60fb2);
    assert.equal(cpuid(machine, 7).edx, 0);
    assert.equal(readMsr(machine), GP);
  });
});
