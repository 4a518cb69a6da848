/** Where the sample guest is stopped for the comparison, in the order in which the guest comes there. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { DebugProtocol as P } from '@vscode/debugprotocol';
import { guest } from '../dap/story.ts';
import type { StopSession, TakenStop } from './stop-session.ts';

/** One request of stepping. */
export type Step = 'stepIn' | 'next' | 'stepOut' | 'instruction';

export interface Place {
  /** Source file of the guest and text of the line, or the function alone. */
  readonly file?: string;
  readonly text: string;
  readonly condition?: string;
  readonly hitCondition?: string;
  /** Further stops, each by one step more. */
  readonly steps?: readonly Step[];
  /** Single instructions behind them, each a stop of its own: prologues, pushes, calls, returns. */
  readonly instructions?: number;
  /** Evaluated at the first stop. */
  readonly expressions?: readonly string[];
}

/** Expressions of C for the frame of `insert_one`. */
const expressionsOfInsertion: readonly string[] = [
  'shared_list',
  'cpus[2]',
  'workers[1]',
  '*node',
  '*list',
  'list->samples',
  'cpus[3].debug.expected_dr',
  'cpus[1].task',
  'cpus[1].task.rsp[1]',
  'node->traits',
  'node->traits.age + 1',
  'node->traits.priority * -1',
  'list->head->next->owner == 2 ? list->count : 0',
  'list->magic >> 8',
  '(char)(list->magic >> 8)',
  '(signed char)(node->id * 77)',
  '&list->samples[1]',
  '&list->samples[3] - &list->samples[1]',
  '*(&list->samples[1] + 1)',
  'node + 1',
  'node - 2',
  '(unsigned long)(node + 1) - (unsigned long)node',
  'sizeof(struct node) * 2',
  'sizeof cpus / sizeof cpus[0]',
  'worker->after_insertion',
  'worker->role',
  'LIST_BAD_ORDER',
  '(enum list_fault)3',
  '(enum node_state)node->traits.state',
  'LIST_BAD_ORDER + 1',
  'worker->counters',
  'worker->counters.by_priority[2]',
  'list->head == node || list->count > 3',
  '!list->count',
  '~list->count',
  '-list->count',
  '-1 / 2',
  '-7 / 2',
  '-7 % 3',
  '7 % -3',
  '-8 >> 1',
  '-8u >> 1',
  '1 << 31',
  '1ll << 40',
  '1 - 2u',
  '2147483647 + 1l',
  '0xffffffff',
  '0x7fffffff',
  '4294967296',
  '0777',
  "'A'",
  "'\\n'",
  '(unsigned char)300',
  '(short)40000',
  '(unsigned short)-1',
  '(_Bool)7',
  'node->payload.bytes[7] & 7',
  '(node->payload.word >> 56) & 7',
  '(int)node->payload.halves[1]',
  '(long)(int)node->payload.halves[1]',
  'node->payload.halves[1] > -1',
  '(int)node->payload.halves[1] < 1u',
  'node->id ^ worker->cpu << 16',
  'node->id | 1 && 0',
  '3 > 2 > 1',
  '1 ? 2 : 3 ? 4 : 5',
  '*(unsigned long *)$rsp',
  '((struct node *)$rsp)->id',
  'trap_load',
  'list_insert',
  '&list_verify',
  'console_print',
  'worker_self_debug_rounds',
  'workers[0].after_insertion',
  '*worker->after_insertion',
  'trap_stubs',
  'list_remove == list_insert',
  '*trap_load',
  '&trap_load',
  'breakpoint_original',
  '*list->head@2',
  'cpus[1].number, cpus[2].number',
];

export const places: readonly Place[] = [
  { text: 'kernel_main', steps: ['stepIn', 'instruction'] },
  { file: 'apic.c', text: 'while (apic_read(APIC_COMMAND_LOW) & COMMAND_PENDING)' },
  // The interrupt path: the tick comes amid idle().
  { file: 'apic.c', text: 'this_cpu()->ticks++;', hitCondition: '3', steps: ['stepOut'], instructions: 22 },
  { file: 'smp.c', text: 'trap_load();', hitCondition: '2', steps: ['stepIn', 'next'] },
  // Exceptions with and without an error code, and the double fault on a stack of its own.
  { file: 'faults.c', text: 'if (entry->instruction == frame->rip) {', hitCondition: '5' },
  // The stubs: with a code of the processor's, with the stub's own.
  { text: 'stub_14', instructions: 4 },
  { file: 'faults.c', text: 'cpu->double_faults++;' },
  { text: 'stub_33', instructions: 7 },
  // Ring 3, and traps from there.
  { file: 'user.c', text: 'sum = call_kernel(SYSTEM_CALL_ADD, sum, round * round);', hitCondition: '4' },
  { text: 'system_call_entry', instructions: 8 },
  { text: 'system_call', steps: ['stepIn', 'stepOut'] },
  { file: 'debugtrap.c', text: 'debug->user_breakpoints++;' },
  // The kernel's own debugger.
  { file: 'selfdebug.c', text: 'debug->planted = true;', steps: ['next'] },
  { file: 'debugtrap.c', text: 'debug->breakpoints++;' },
  { file: 'debugtrap.c', text: 'debug->last_step = frame->rip;', hitCondition: '7' },
  { file: 'smp.c', text: 'uint32_t generation = ', hitCondition: '2', steps: ['next', 'next'] },
  // The work on the list.
  {
    file: 'worker.c',
    text: 'list_insert(list, node);',
    hitCondition: '30',
    steps: ['stepIn', 'next', 'next', 'stepOut'],
    expressions: expressionsOfInsertion,
  },
  {
    file: 'spinlock.h',
    text: 'return __atomic_compare_exchange_n',
    hitCondition: '20',
    steps: ['instruction', 'next'],
  },
  { file: 'list.c', text: 'behind = behind->previous;', hitCondition: '10', steps: ['instruction'] },
  { file: 'list.c', text: 'if (++seen > list->count)', hitCondition: '40', steps: ['instruction', 'instruction'] },
  { file: 'list.c', text: 'node->next = NULL;', condition: 'list->count > 4' },
  { file: 'worker.c', text: 'worker->counters.payloads += ', instructions: 8 },
  { text: 'list_remove', instructions: 12 },
  { file: 'worker.c', text: 'worker->random ^= worker->random >> 7;', steps: ['next'] },
  { file: 'sampler.c', text: 'list->samples[list->next_sample++] = node->id;' },
];

/** The places behind the corruption of the list. */
export const latePlaces: readonly Place[] = [
  { file: 'list.c', text: 'corruption->found = list->magic;', steps: ['stepOut'] },
  { file: 'selfdebug.c', text: 'check(debug->steps == STEP_PATIENT_STEPS' },
  {
    file: 'main.c',
    text: 'console_print("cpu %u: %u inserted',
    hitCondition: '2',
    steps: ['stepIn', 'next', 'next', 'next'],
    instructions: 8,
  },
];

const lineOf = (file: string, text: string): number => {
  const line = readFileSync(path.join(guest, file), 'utf8')
    .split('\n')
    .findIndex((one) => one.includes(text));
  if (line < 0) throw new Error(`'${text}' is not in ${file}`);
  return line + 1;
};

/** Break on Value Change of the list's field, as in the tutorial. */
export async function visitCorruption(session: StopSession, resume: number): Promise<readonly TakenStop[]> {
  const info = await session.request<P.DataBreakpointInfoResponse['body']>('dataBreakpointInfo', {
    name: 'shared_list.magic',
  });
  await session.request('setDataBreakpoints', { breakpoints: [{ dataId: info.dataId, accessType: 'write' }] });
  const focus = await session.run('continue', { threadId: resume });
  await session.request('setDataBreakpoints', { breakpoints: [] });
  const taken = [await session.take('data breakpoint on shared_list.magic', focus)];
  await session.run('stepOut', { threadId: focus });
  return [...taken, await session.take('data breakpoint on shared_list.magic, then stepOut', focus)];
}

/** Expressions to which gdb gives another type than ISO C does, or another one of the same size than we. */
export const typesOfTheirOwn: ReadonlyMap<string, string> = new Map([
  ['sizeof(struct node) * 2', 'gdb: int; ISO C 6.5.3.4: size_t'],
  ['sizeof cpus / sizeof cpus[0]', 'gdb: int; ISO C 6.5.3.4: size_t'],
  ['list->head->next->owner == 2 ? list->count : 0', 'gdb: that of the branch taken; ISO C 6.5.15: that of both'],
  ["'A'", 'gdb: char; ISO C 6.4.4.4: int'],
  ["'\\n'", 'gdb: char; ISO C 6.4.4.4: int'],
  ['1ll << 40', 'gdb: long long; we compute in long, which is of the same size'],
]);

/** Goes to a place and takes it down, and all steps from there. */
export async function visit(session: StopSession, place: Place, resume: number): Promise<readonly TakenStop[]> {
  const { file, text, condition, hitCondition, expressions, instructions = 0 } = place;
  const steps = [...(place.steps ?? []), ...Array.from({ length: instructions }, (): Step => 'instruction')];
  const how = {
    ...(condition === undefined ? {} : { condition }),
    ...(hitCondition === undefined ? {} : { hitCondition }),
  };
  const set = async (on: boolean): Promise<void> => {
    if (file === undefined) {
      await session.request('setFunctionBreakpoints', { breakpoints: on ? [{ name: text, ...how }] : [] });
      return;
    }
    const source = { path: path.join(guest, file) };
    const breakpoints = on ? [{ line: lineOf(file, text), ...how }] : [];
    const answer = await session.request<P.SetBreakpointsResponse['body']>('setBreakpoints', { source, breakpoints });
    const refused = answer.breakpoints.find(({ verified }) => !verified);
    if (refused !== undefined) throw new Error(`'${text}': ${refused.message}`);
  };
  await set(true);
  let focus = await session.run('continue', { threadId: resume });
  await set(false);
  const name = `${file ?? 'function'} '${text}'`;
  const taken = [await session.take(name, focus, expressions)];
  for (const [index, step] of steps.entries()) {
    focus =
      step === 'instruction'
        ? await session.run('stepIn', { threadId: focus, granularity: 'instruction' })
        : await session.run(step, { threadId: focus });
    taken.push(await session.take(`${name}, step ${index + 1} (${step})`, focus));
  }
  return taken;
}
