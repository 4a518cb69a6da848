/** Sizes of arrays: an upper bound of all ones in one, two or four bytes is a number, and no array is taken for an empty one. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { missing, openSymbols, run, temporaryDirectory } from './tools.ts';

const skip = missing('gcc');
const counts = [0, 1, 2, 127, 128, 129, 255, 256, 257, 32_767, 32_768, 65_535, 65_536, 65_537, 1 << 24];

describe('arrays', { skip }, () => {
  const directory = skip === false ? temporaryDirectory() : '';
  const source = join(directory, 'arrays.c');
  const program = counts.map((count) => `typedef char a${count}[${count}]; a${count} *p${count};`).join('\n');
  if (skip === false) writeFileSync(source, `${program}\nvoid _start(void) {}\n`);
  for (const options of ['-m64 -gdwarf-5', '-m64 -gdwarf-4', '-m64 -gdwarf-2', '-m32 -gdwarf-5', '-m32 -gdwarf-3']) {
    it(`of every size have it with gcc ${options}`, async () => {
      const output = join(directory, `arrays${options}.elf`);
      run('gcc', ['-g', '-static', '-nostdlib', '-no-pie', ...options.split(' '), source, '-o', output]);
      const file = await openSymbols(output);
      for (const count of counts) {
        const id = await file.typeNamed(`a${count}`);
        assert.ok(id !== null, `a${count}`);
        const types = await file.types([id]);
        const array = types.find(({ kind }) => kind === 'array');
        assert.ok(array?.kind === 'array', `a${count}`);
        assert.deepEqual([array.dimensions[0]?.count, array.byteSize], [count, count], `a${count}`);
      }
    });
  }
});
