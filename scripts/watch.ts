// `npm run watch`: builds dist anew whenever a source changes, the core in a hurry (core-modules.ts). Ctrl+C ends it.
import { watch } from 'node:fs';
import path from 'node:path';
import { buildEverything } from './build.ts';
import { messageOf, repositoryRoot } from './process.ts';

/** Milliseconds of quiet after a change: editors write several files at once. */
const QUIET = 150;
const FOLDERS = ['src', 'scripts'];

let timer: NodeJS.Timeout | undefined;
let building = false;
let changed = false;

/** One build at a time; a change meanwhile asks for another. The lines at its begin and end are what tasks.json waits for. */
async function build(): Promise<void> {
  if (building) {
    changed = true;
    return;
  }
  building = true;
  do {
    changed = false;
    console.log('watch: building');
    try {
      await buildEverything((line) => {
        if (!line.endsWith('up to date')) console.log(line);
      }, 'fast');
    } catch (error) {
      console.log(messageOf(error));
    }
  } while (changed);
  building = false;
  console.log(`watch: waiting for a change of ${FOLDERS.join(' or ')}`);
}

for (const folder of FOLDERS) {
  watch(path.join(repositoryRoot, folder), { recursive: true }, (_event, file) => {
    // what generators write is no change of somebody's
    if (file === null || !file.endsWith('.ts') || file.endsWith('.generated.ts')) return;
    clearTimeout(timer);
    timer = setTimeout(() => void build(), QUIET);
  });
}
await build();
