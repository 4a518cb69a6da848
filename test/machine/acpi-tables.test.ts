// iasl of ACPICA, whose interpreter Linux has too, reads every table of a machine and writes it back.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { findOnPath, runProgram } from '../../scripts/process.ts';
import { loadEngineModules } from '../../src/entry/node-files.ts';
import { Machine } from '../../src/machine/machine.ts';

const HEADER = 36;
const folder = mkdtempSync(path.join(tmpdir(), 'trapline-acpi-'));
after(() => rmSync(folder, { recursive: true }));
const skip = findOnPath('iasl') === undefined ? 'iasl is not installed (Debian package acpica-tools)' : false;

/** Runs iasl on a file; fails on anything that it calls an error, a warning or a remark. */
async function iasl(options: readonly string[], file: string): Promise<string> {
  const { status, output } = await runProgram('iasl', [...options, path.join(folder, file)]);
  assert.equal(status, 0, output);
  assert.doesNotMatch(output, /\b(?:Error|Warning|Remark|Invalid|Incorrect)\b(?!s?,)/, output);
  return output;
}

for (const cpus of [1, 16]) {
  test(
    `the tables of a machine with ${cpus} vCPUs: iasl takes them apart and puts them together again`,
    { skip },
    async () => {
      const { acpi } = new Machine(await loadEngineModules(), { cpus, memorySize: 64 << 20, jit: false });
      const tables = acpi.tables.filter(({ physical }) => physical !== acpi.rsdp);
      const names: string[] = [];
      for (const { bytes } of tables) {
        const name = String.fromCharCode(...bytes.subarray(0, 4)).toLowerCase();
        names.push(name);
        writeFileSync(path.join(folder, `${name}.aml`), bytes);
        await iasl(['-d'], `${name}.aml`); // writes name.dsl
        await iasl(['-p', path.join(folder, `${name}-again`)], `${name}.dsl`);
        const again = readFileSync(path.join(folder, `${name}-again.aml`));
        // the compiler signs the header of what it makes
        assert.deepEqual(Buffer.from(again.subarray(HEADER)), Buffer.from(bytes.subarray(HEADER)), name);
      }
      assert.deepEqual(names, ['facs', 'dsdt', 'facp', 'apic', 'rsdt', 'xsdt']);
    },
  );
}
