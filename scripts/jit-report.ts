// `npm run jit:report`: every handler that the JIT leaves to the interpreter, with the reason. A list, not a check.
import { loadEngineModules } from '../src/entry/node-files.ts';
import { formText } from '../test/oracle/forms.ts';
import { jitReport } from './jit-forms.ts';

const modules = await loadEngineModules();
if (modules.coreBytes === undefined) throw new Error('dist/core.wasm is missing; npm run build makes it');
const { handlers, forms, untried, leaving } = jitReport(modules, modules.coreBytes);

const byReason = new Map<string, typeof leaving>();
for (const entry of leaving) {
  const reason = entry.reasons.join(', ');
  byReason.set(reason, [...(byReason.get(reason) ?? []), entry]);
}
for (const [reason, entries] of [...byReason].toSorted()) {
  console.log(`${reason}: ${entries.length} handlers`);
  for (const { handler, leaving: left, tried, mnemonics } of entries) {
    const part = left === tried ? '' : `, ${left} of ${tried} encodings`;
    console.log(`  ${handler}${part}: ${mnemonics.join(' ')}`);
  }
  console.log('');
}
for (const row of untried) console.log(`not tried, no encoding found: ${formText(row)}`);
console.log(`${forms} opcode forms lead to ${handlers} handlers; ${leaving.length} of those always leave a region.`);
