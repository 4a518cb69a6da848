// Which handlers of core.wasm the JIT cannot use: each opcode form is decoded by the engine itself, in several encodings, and
// its handler is specialised for the record that comes out, as a region would do it.
import { Engine, type EngineModules } from '../src/core/engine.ts';
import * as L from '../src/core/layout.ts';
import { type OpcodeRow, opcodeRows } from '../src/core/opcodes/index.ts';
import { Code } from '../src/wasm/code.ts';
import { type EvaluationContext, Evaluator } from '../src/jit/evaluator.ts';
import { SlotUse } from '../src/jit/region-locals.ts';
import { OP } from '../src/wasm/tree.ts';
import { readModule, type WasmModule } from '../src/wasm/reader.ts';
import { emptyHost } from '../test/oracle/engine-host.ts';
import { opcodeBytes } from '../test/oracle/encoding.ts';

/** A handler for which some encoding of some form has to be left to the interpreter. */
export interface LeavingHandler {
  /** As in the decode table: `rare`, or the handler with its types and arguments. */
  readonly handler: string;
  /** Why, each once: what it needs that a region has not, or what the evaluator cannot do. */
  readonly reasons: readonly string[];
  /** Encodings of it that always leave, and those that were tried. */
  readonly leaving: number;
  readonly tried: number;
  /** Mnemonics of those that always leave. */
  readonly mnemonics: readonly string[];
}
export interface JitReport {
  /** Handlers that some form leads to. */
  readonly handlers: number;
  readonly forms: number;
  /** Forms that no encoding was found for. */
  readonly untried: readonly OpcodeRow[];
  readonly leaving: readonly LeavingHandler[];
}

/** What stands for all operations that are numbers in the decode table: one handler has them executed in system.wasm. */
export const RARE = 'rare';
const RECORD = L.SCRATCH_BLOCK + L.HEADER_SIZE;
const RIP = 0x100000n;
/** Operand size prefix and REX bytes, by code size: what chooses among the handlers of a row. */
const PREFIXES = { 64: [[], [0x66], [0x48]], 32: [[], [0x66]] } as const;
/** ModRM.mod of a memory operand [rBX], and of a register. */
const MODS = { memory: [0], register: [3], any: [3, 0] } as const;
const RBX = 3;

/** Encodings of a row in 64-bit and 32-bit code; immediates are ones (AAM by zero would be #DE). */
function* encodings(row: OpcodeRow): Generator<{ readonly bytes: Uint8Array; readonly code: 32 | 64 }> {
  for (const code of [64, 32] as const) {
    for (const prefix of PREFIXES[code]) {
      const rex = prefix[0] === 0x48 ? prefix : [];
      const size = rex.length > 0 ? [] : prefix;
      for (const mod of row.hasModRM ? MODS[row.mod] : [0]) {
        const bytes = new Uint8Array(24).fill(1);
        const modrm = (mod << 6) | ((row.reg ?? 0) << 3) | (row.rm ?? RBX);
        bytes.set([...size, ...opcodeBytes(row, row.opcode + row.span - 1, rex), ...(row.hasModRM ? [modrm] : [])]);
        yield { bytes, code };
      }
    }
  }
}

/** Specialises handlers one by one, without a region around them. */
class Specialiser {
  private readonly code = new Code();
  private readonly slots = new SlotUse();
  private readonly evaluator: Evaluator;
  private readonly causes = new Set<string>();

  constructor(module: WasmModule, engine: Engine) {
    const { code } = this;
    const context: EvaluationContext = {
      code,
      isConstant: (address) =>
        (address >= RECORD && address < RECORD + L.RECORD_SIZE) || (address >= L.STACK16 && address < L.STACK64 + 16),
      slot: (address, write) => this.slots.access(address, write),
      isZero: (address) => address >= L.ZERO && address < L.ZERO + 8,
      isRip: (address) => address === L.RIP,
      jump: () => code.emit(OP.unreachable),
      jumpIndirect: () => code.emit(OP.unreachable),
      leave: (cause) => {
        this.causes.add(cause);
        code.emit(OP.unreachable);
      },
      callable: (name) => (typeof engine.softfloat[name.replace(/^softfloat\./, '')] === 'function' ? 0 : undefined),
    };
    this.evaluator = new Evaluator(module, engine.rawView, context);
  }
  /** Why the handler always leaves for this record, undefined: it can run compiled, at least on some way. */
  reasons(tableIndex: number): readonly string[] | undefined {
    this.code.clear();
    this.code.begin();
    this.causes.clear();
    try {
      this.evaluator.instruction(tableIndex, RECORD);
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)];
    }
    return this.evaluator.ending === 'leaves' ? [...this.causes] : undefined;
  }
}

interface Findings {
  readonly names: Set<string>;
  readonly reasons: Set<string>;
  readonly mnemonics: Set<string>;
  leaving: number;
  tried: number;
}

/** Tries every form of the decode table. */
export function jitReport(modules: EngineModules, coreBytes: Uint8Array): JitReport {
  const module = readModule(coreBytes);
  const engine = new Engine({ modules, host: emptyHost, vcpus: 1, memorySize: 1 << 20, arenaSize: 1 << 20 });
  const specialiser = new Specialiser(module, engine);
  const handlers = new Map<number, Findings>();
  const untried: OpcodeRow[] = [];
  opcodeRows.forEach((row, number) => {
    let found = false;
    for (const { bytes, code } of encodings(row)) {
      engine.raw.set(bytes, L.FETCH_BUFFER);
      const size = code === 64 ? 2 : 1;
      engine.decode(RECORD, L.FETCH_BUFFER, 15, RIP, size | (size << 2) | L.MODE_FLAT);
      if (engine.rawView.getUint16(RECORD + L.R_OPCODE, true) !== number) continue; // the encoding is another row's
      found = true;
      const index = engine.rawView.getUint16(RECORD + L.R_HANDLER, true);
      let findings = handlers.get(index);
      if (findings === undefined) {
        findings = { names: new Set(), reasons: new Set(), mnemonics: new Set(), leaving: 0, tried: 0 };
        handlers.set(index, findings);
      }
      findings.tried++;
      findings.names.add(typeof row.handler === 'string' ? row.handler : RARE);
      const reasons = specialiser.reasons(index);
      if (reasons === undefined) continue;
      findings.leaving++;
      findings.mnemonics.add(row.mnemonic);
      for (const reason of reasons) findings.reasons.add(reason);
    }
    if (!found) untried.push(row);
  });
  const leaving = [...handlers.values()]
    .filter((findings) => findings.leaving > 0)
    .map(({ names, reasons, mnemonics, ...counts }) => ({
      handler: [...names].join(' or '),
      reasons: [...reasons].toSorted(),
      mnemonics: [...mnemonics].toSorted(),
      ...counts,
    }))
    .toSorted((a, b) => (a.handler < b.handler ? -1 : 1));
  return { handlers: handlers.size, forms: opcodeRows.length, untried, leaving };
}
