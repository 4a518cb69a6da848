// Fails when a handler of dist/core.wasm breaks the contract that the derived JIT stands on.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkContract } from './handler-contract.ts';
import { readModule } from '../src/wasm/reader.ts';

const file = process.argv[2] ?? join(import.meta.dirname, '../dist/core.wasm');
const { handlers, breaches } = checkContract(readModule(readFileSync(file)));
for (const { handler, rule, detail } of breaches)
  console.error(`${handler}: ${rule}${detail === '' ? '' : ` (${detail})`}`);
console.log(`handler contract: ${handlers} functions checked, ${breaches.length} breaches`);
process.exit(breaches.length === 0 && handlers > 0 ? 0 : 1);
