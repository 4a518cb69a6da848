// Lines for the user about what a guest does that is not supported: each cause once, and not without end.
import * as V from '../core/state-values.ts';

const MAXIMUM_MESSAGES = 200;
const hex = (value: bigint | number): string => `0x${value.toString(16)}`;

export class Messages {
  private readonly said = new Set<string>();
  private readonly emit: (text: string) => void;

  constructor(emit: (text: string) => void) {
    this.emit = emit;
  }
  /** Says a text unless its cause was named before; after 200 causes it falls silent. */
  once(cause: string, text: string): void {
    if (this.said.size > MAXIMUM_MESSAGES || this.said.has(cause)) return;
    this.said.add(cause);
    if (this.said.size <= MAXIMUM_MESSAGES) this.emit(text);
    else this.emit(`More than ${MAXIMUM_MESSAGES} different messages of this kind: the rest is left out.`);
  }
  unknownPort(port: number, write: boolean): void {
    const how = write ? 'written' : 'read';
    this.once(`port ${port}`, `I/O port ${hex(port)}, ${how} by the guest, belongs to no device: reads as all-ones.`);
  }
  unknownMemory(physical: number, write: boolean): void {
    const how = write ? 'written' : 'read';
    const text = `Physical address ${hex(physical)}, ${how} by the guest, is neither RAM nor a device: reads as all-ones.`;
    this.once(`memory ${physical}`, text);
  }
  /** The JIT cannot have a region compiled. */
  notCompiled(reason: string): void {
    this.once(`jit ${reason}`, `The JIT leaves some code to the interpreter: ${reason}`);
  }
  /** What the engine says by LOG_* codes. */
  engine(code: number, vcpu: number, a: bigint, b: bigint): void {
    const text = engineText(code, a, b);
    if (text !== undefined) this.once(`engine ${code} ${a}`, `vCPU ${vcpu}: ${text}`);
  }
}

function engineText(code: number, a: bigint, b: bigint): string | undefined {
  switch (code) {
    case V.LOG_INVALID_OPCODE:
      return `an instruction at ${hex(a)} is not implemented: #UD.`;
    case V.LOG_MSR_READ:
      return `RDMSR of unknown register ${hex(a)} at ${hex(b)}: #GP(0).`;
    case V.LOG_MSR_WRITE:
      return `WRMSR of ${hex(b)} to register ${hex(a)} is not supported: #GP(0).`;
    case V.LOG_DEBUG_REGISTER:
      return `debug register ${b} is set up (DR7 ${hex(a)}) in a way that never matches.`;
    default:
      return undefined;
  }
}
