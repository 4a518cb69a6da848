/** Symbol files out of proportion, made by hand: their debugging information, and what a session asks of them. */

import assert from 'node:assert/strict';
import { createLocalSymbols, SymbolError, type SymbolFile } from '../../src/symbols/index.ts';
import { abbreviationTable, Bytes, elfFile, unit } from './elf-writer.ts';

const DW_TAG = { member: 0x0d, compile_unit: 0x11, structure: 0x13, base: 0x24, variable: 0x34, namespace: 0x39 };
const DW_AT = { name: 0x03, byte_size: 0x0b, data_member_location: 0x38, encoding: 0x3e, type: 0x49 };
const DW_FORM = { string: 0x08, data1: 0x0b, udata: 0x0f, ref4: 0x13 };
const DW_ATE_signed = 5;

export interface Shape {
  readonly info: Bytes;
  readonly abbreviations: Uint8Array;
}

/** Units of DWARF 4 of which nothing but the header is there: eleven bytes each. */
export function bareHeaders(count: number): Shape {
  const info = new Bytes();
  for (let index = 0; index < count; index++) info.u32(7).u16(4).u32(0).u8(8);
  return { info, abbreviations: abbreviationTable([[DW_TAG.compile_unit, false]]) };
}

/** Units of DWARF 5 whose root entry says nothing. */
export function emptyUnits(count: number): Shape {
  const info = new Bytes();
  for (let index = 0; index < count; index++) unit(info, 0, (entries) => entries.u8(1));
  return { info, abbreviations: abbreviationTable([[DW_TAG.compile_unit, false]]) };
}

/** `struct big`, all of whose members are ints without a name, and a variable of it. */
export function manyMembers(count: number): Shape {
  const info = new Bytes();
  unit(info, 0, (entries) => {
    entries.u8(1);
    const int = entries.length;
    entries.u8(2).text('int').u8(4, DW_ATE_signed);
    const big = entries.length;
    entries
      .u8(3)
      .text('big')
      .uleb(4 * count);
    for (let index = 0; index < count; index++)
      entries
        .u8(4)
        .u32(int)
        .uleb(4 * index);
    entries.u8(0).u8(5).text('value').u32(big).u8(0);
  });
  const abbreviations = abbreviationTable([
    [DW_TAG.compile_unit, true],
    [
      DW_TAG.base,
      false,
      [DW_AT.name, DW_FORM.string],
      [DW_AT.byte_size, DW_FORM.data1],
      [DW_AT.encoding, DW_FORM.data1],
    ],
    [DW_TAG.structure, true, [DW_AT.name, DW_FORM.string], [DW_AT.byte_size, DW_FORM.udata]],
    [DW_TAG.member, false, [DW_AT.type, DW_FORM.ref4], [DW_AT.data_member_location, DW_FORM.udata]],
    [DW_TAG.variable, false, [DW_AT.name, DW_FORM.string], [DW_AT.type, DW_FORM.ref4]],
  ]);
  return { info, abbreviations };
}

/** Namespaces in namespaces, and an int at the bottom. */
export function deepNesting(depth: number): Shape {
  const info = new Bytes();
  unit(info, 0, (entries) => {
    entries.u8(1);
    for (let index = 0; index < depth; index++) entries.u8(2);
    entries.u8(3).text('bottom');
    for (let index = 0; index <= depth; index++) entries.u8(0);
  });
  const abbreviations = abbreviationTable([
    [DW_TAG.compile_unit, true],
    [DW_TAG.namespace, true],
    [DW_TAG.variable, false, [DW_AT.name, DW_FORM.string]],
  ]);
  return { info, abbreviations };
}

const symbols = createLocalSymbols({ openFile: () => assert.fail('not used here') });

export function openShape({ info, abbreviations }: Shape): Promise<SymbolFile> {
  const bytes = elfFile([
    { name: '.text', bytes: new Uint8Array(64), flags: 6, address: 0x40_0000n },
    { name: '.debug_info', bytes: info.all },
    { name: '.debug_abbrev', bytes: abbreviations },
  ]);
  return symbols.open({ kind: 'bytes', bytes }, 'shape.elf');
}

/** What a session asks of a file when a breakpoint is set and the guest stops. An answer or a SymbolError will do. */
export async function askAll(file: SymbolFile): Promise<void> {
  const pc = 0x40_0010n;
  for (const ask of [
    () => file.findSourceFiles('/src/main.c'),
    () => file.functionBreakpoints('main'),
    () => file.functionAt(pc),
    () => file.lineAt(pc),
    () => file.scopesAt(pc),
    () => file.unitGlobals(pc),
    () => file.globalsNamed('value', pc),
    () => file.typeNamed('int', pc),
    () => file.globalNamesByPrefix('va', 10),
  ]) {
    await ask().catch((error: unknown) => assert.ok(error instanceof SymbolError, String(error)));
  }
}

/** Processor time of the work in milliseconds. */
export async function cost(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
