// Writes docs/session.md from the table of a session's life (src/dap/life.ts), when it is out of date.
// usage: generate-session-states.ts
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { innerEvents, requestEvents, sessionStates, sessionTable, type SessionEvent } from '../src/dap/life.ts';
import { repositoryRoot } from './process.ts';

export const SESSION_DOCUMENT = 'docs/session.md';
const events: readonly SessionEvent[] = [...requestEvents, ...innerEvents];

/** An arrow for each pair of states, with everything that leads from one to the other. */
function diagram(): string {
  const lines = ['stateDiagram-v2', '    [*] --> new', '    closed --> [*]'];
  for (const from of sessionStates) {
    const arrows = new Map<string, string[]>();
    for (const event of events) {
      const to = sessionTable[from][event];
      // What changes nothing would only hide the rest.
      if (typeof to !== 'string' || to === from) continue;
      arrows.set(to, [...(arrows.get(to) ?? []), event]);
    }
    for (const [to, labels] of arrows) lines.push(`    ${from} --> ${to}: ${labels.join(', ')}`);
  }
  return lines.join('\n');
}

function answers(): string {
  const head = `| request | ${sessionStates.join(' | ')} |\n| --- | ${sessionStates.map(() => '---').join(' | ')} |`;
  const sentences: string[] = [];
  const rows = requestEvents.map((event) => {
    const cells = sessionStates.map((state) => {
      const cell = sessionTable[state][event];
      if (typeof cell === 'string') return cell === state ? 'yes' : cell;
      if (!sentences.includes(cell.sentence)) sentences.push(cell.sentence);
      return `no (${sentences.indexOf(cell.sentence) + 1})`;
    });
    return `| ${event} | ${cells.join(' | ')} |`;
  });
  const notes = sentences.map((sentence, index) => `${index + 1}. ${sentence}`);
  return `${head}\n${rows.join('\n')}\n\n${notes.join('\n')}`;
}

/** The document as it should be. */
export async function sessionDocument(): Promise<string> {
  const text = `# The life of a debug session

Generated from src/dap/life.ts by scripts/generate-session-states.ts; do not edit.

\`\`\`mermaid
${diagram()}
\`\`\`

What a request leads to in each state: the next state, _yes_ where the state stays, or the sentence that refuses it.
_resume_ stands for continue and the steps, _inspect_ for requests about a guest that stands still (stackTrace, scopes, ...),
_use_ for those that need a machine, whatever it does (setBreakpoints, readMemory, evaluate, ...).

${answers()}

A launch or restart that is overtaken while its machine is made is given up, and releases what it had.
`;
  const filepath = path.join(repositoryRoot, SESSION_DOCUMENT);
  return format(text, { ...(await resolveConfig(filepath)), filepath });
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const file = path.join(repositoryRoot, SESSION_DOCUMENT);
  const content = await sessionDocument();
  let before = '';
  try {
    before = readFileSync(file, 'utf8');
  } catch {
    // It is written for the first time.
  }
  if (before !== content) {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, content);
    console.log(`wrote ${SESSION_DOCUMENT}`);
  }
}
