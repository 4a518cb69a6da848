/** readMemory, writeMemory, disassemble. Linear addresses of the focused vCPU, 64 bits throughout. */
import { hexadecimal } from '../../debugger/bits.ts';
import { bytesText } from '../../debugger/disassembly.ts';
import { READ_LIMIT } from '../arguments.ts';
import { ProtocolError } from '../errors.ts';
import type { Group, P } from '../protocol.ts';
import { fromBase64, toBase64 } from '../serial.ts';
import type { Session } from '../session.ts';

const wrap = (address: bigint): bigint => BigInt.asUintN(64, address);
const placeOf = (argument: { readonly memoryReference: bigint; readonly offset: number | undefined }): bigint =>
  wrap(argument.memoryReference + BigInt(argument.offset ?? 0));

export function memory(session: Session): Group<'readMemory' | 'writeMemory' | 'disassemble'> {
  return {
    readMemory(argument) {
      const { target } = session.debugger;
      const address = placeOf(argument);
      const count = Math.min(argument.count, READ_LIMIT);
      const bytes = count === 0 ? new Uint8Array(0) : target.readLinear(session.focus, address, count);
      const at = `0x${address.toString(16)}`;
      const missing = bytes.length < count ? missingBytes(session, address, bytes.length, count) : 0;
      return {
        address: at,
        ...(bytes.length > 0 ? { data: toBase64(bytes) } : {}),
        ...(missing > 0 ? { unreadableBytes: missing } : {}),
      };
    },

    writeMemory(argument, call) {
      const address = placeOf(argument);
      const bytes = fromBase64(argument.data);
      if (bytes === undefined) throw new ProtocolError('badArguments', 'The data of writeMemory is not base64.');
      const { target } = session.debugger;
      if (
        argument.allowPartial !== true &&
        target.readLinear(session.focus, address, bytes.length).length < bytes.length
      ) {
        throw new ProtocolError(
          'memory',
          `Not all of the ${bytes.length} bytes at 0x${address.toString(16)} are mapped to memory; nothing was written.`,
        );
      }
      const written = target.writeLinear(session.focus, address, bytes);
      if (written < bytes.length && argument.allowPartial !== true) {
        throw new ProtocolError(
          'memory',
          `Only ${written} of ${bytes.length} bytes at 0x${address.toString(16)} could be written.`,
        );
      }
      session.debugger.invalidate();
      call.after(() => session.changed());
      if (session.client.showsMemoryChanges) {
        session.dispatcher.event('memory', {
          memoryReference: hexadecimal(argument.memoryReference),
          offset: argument.offset ?? 0,
          count: written,
        });
      }
      return { bytesWritten: written };
    },

    async disassemble(argument, call) {
      const { debugger: debugger_ } = session;
      const { listings, paths } = session.launched;
      const address = placeOf(argument);
      const { instructionCount } = argument;
      const vcpu = session.focus;
      const bits = listings.codeBits(vcpu);
      const rows = await debugger_.modules.withNames(() =>
        listings.disassembly.rows(vcpu, address, argument.instructionOffset ?? 0, instructionCount, bits),
      );
      const instructions: P.DisassembledInstruction[] = [];
      for (const [index, row] of rows.entries()) {
        await call.breathe(index / rows.length);
        const module = debugger_.modules.at(row.address);
        const line = module === undefined ? null : await module.lineAt(row.address);
        const path = line === null || line.line === 0 ? undefined : await paths.local(line.file.path);
        const name = argument.resolveSymbols === false ? undefined : await symbolStart(session, row.address);
        instructions.push({
          address: `0x${row.address.toString(16)}`,
          ...(row.bytes.length > 0 ? { instructionBytes: bytesText(row.bytes) } : {}),
          instruction: row.text,
          ...(name === undefined ? {} : { symbol: name }),
          ...(line === null || path === undefined
            ? {}
            : {
                location: session.client.source({ name: line.file.name, path }),
                line: session.client.line(line.line),
              }),
          ...(row.valid ? {} : { presentationHint: 'invalid' as const }),
        });
      }
      return { instructions };
    },
  };
}

/** How many bytes behind the readable prefix cannot be read, page by page, so that clients can show a gap and go on. */
function missingBytes(session: Session, address: bigint, readable: number, count: number): number {
  const { target } = session.debugger;
  let at = readable;
  while (at < count) {
    const here = wrap(address + BigInt(at));
    if (target.readLinear(session.focus, here, 1).length > 0) break;
    at += 4096 - Number(here & 4095n);
  }
  return Math.min(at, count) - readable;
}

/** The symbol that begins at an address: only the first row of a function is labelled. */
async function symbolStart(session: Session, address: bigint): Promise<string | undefined> {
  const name = await session.debugger.modules.describe(address);
  return name === undefined || /\+0x[0-9a-f]+$/.test(name) ? undefined : name;
}
