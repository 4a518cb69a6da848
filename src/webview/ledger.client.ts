// The trap ledger's page: a filtered, virtualised list that follows new rows.
import { isEmptyFilter, matcher, noFilter } from './ledger-filter.ts';
import {
  causesText,
  dispositionText,
  ownerWord,
  placeOf,
  rowSentence,
  ruleText,
  virtualTime,
  type LedgerRow,
} from '../words/ledger.ts';
import { vectorName } from '../words/vectors.ts';
import { readKeptFilter, type FromLedger, type LedgerFilter, type ToLedger } from './protocol.ts';

interface VSCodeApi {
  postMessage(message: FromLedger): void;
  getState(): unknown;
  setState(state: { readonly filter: LedgerFilter }): void;
}
declare function acquireVsCodeApi(): VSCodeApi;

/** From this width on a row is one line. */
const WIDE = 620;
const ROW_HEIGHT = { narrow: 40, wide: 22 };
/** Rows that are drawn above and below what is on screen. */
const MARGIN = 8;
/** As many rows as the extension keeps. */
const CAPACITY = 65_536;

/** A shield for the host, an arrow that turns back in for the guest. */
const ICONS = {
  host: 'M8 1 2.5 3v4.6c0 3.3 2.2 6 5.5 7.4 3.3-1.4 5.5-4.1 5.5-7.4V3L8 1zm0 1.6 4 1.45V7.6c0 2.5-1.6 4.6-4 5.8-2.4-1.2-4-3.3-4-5.8V4.05L8 2.6zM7.3 9.9 5 7.6l.9-.9 1.4 1.4 2.9-2.9.9.9-3.8 3.8z',
  guest:
    'M6.2 3 2 7.2l4.2 4.2.95-.95L4.55 7.85H10a2.65 2.65 0 0 1 0 5.3H7.5v1.35H10a4 4 0 0 0 0-8H4.55l2.6-2.55L6.2 3z',
} as const;
const EMPTY = {
  none: 'No machine has run yet. Start a Trapline debug session: every debug trap (#DB, #BP) is listed here with its owner.',
  live: 'No debug trap yet. Each #DB and #BP will be listed here: host-owned (a breakpoint of yours), or re-injected into the guest (its own debugger).',
  ended: 'The session ended without a single debug trap.',
  filtered: 'No row passes the filter.',
} as const;

function element<E extends HTMLElement>(id: string, type: new () => E): E {
  const found = document.getElementById(id);
  if (found instanceof type) return found;
  throw new Error(`no ${id} in the page`);
}

const api = acquireVsCodeApi();
const page = document.body;
const list = element('list', HTMLDivElement);
const space = element('space', HTMLDivElement);
const empty = element('empty', HTMLDivElement);
const count = element('count', HTMLSpanElement);
const newest = element('newest', HTMLButtonElement);
const textBox = element('text', HTMLInputElement);
const ownerBox = element('owner', HTMLSelectElement);
const vectorBox = element('vector', HTMLSelectElement);
const vcpuBox = element('vcpu', HTMLSelectElement);

let state: 'none' | 'live' | 'ended' = 'none';
let rows: LedgerRow[] = [];
let shown: LedgerRow[] = [];
let filter: LedgerFilter = readKeptFilter(api.getState()) ?? noFilter;
let matches = matcher(filter);
let follow = true;
let selected: number | undefined;
let rowHeight = ROW_HEIGHT.narrow;
let drawPending = false;
/** Drawn rows by sequence number. */
const drawn = new Map<number, HTMLElement>();

function cell(className: string, text: string): HTMLElement {
  const span = document.createElement('span');
  span.className = className;
  span.textContent = text;
  return span;
}

function icon(owner: LedgerRow['owner']): HTMLElement {
  const mark = document.createElement('span');
  mark.className = 'mark';
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', ICONS[owner]);
  svg.append(path);
  mark.append(svg);
  return mark;
}

/** "host-owned · stopped", "re-injected": what happened, in the words of the ledger. */
function said(row: LedgerRow): HTMLElement {
  const span = cell('said', '');
  const disposition = dispositionText(row.disposition);
  const words = row.owner === 'host' ? `${ownerWord(row)}, ${disposition}` : disposition;
  span.append(cell('owner', words), cell('cause', ` · ${causesText(row)}`));
  return span;
}

function makeRow(row: LedgerRow): HTMLElement {
  const line = document.createElement('div');
  line.id = `row${row.sequence}`;
  line.className = `row ${row.owner}`;
  line.setAttribute('role', 'option');
  line.setAttribute('aria-label', rowSentence(row));
  line.dataset['sequence'] = String(row.sequence);
  line.title = [
    `${vectorName(row.vector)} on vCPU ${row.vcpu}: ${ownerWord(row)}, ${dispositionText(row.disposition)}`,
    `${placeOf(row)} (${row.rip})`,
    `cause: ${causesText(row)}`,
    `rule: ${ruleText(row.rule)}`,
    `DR6: host ${row.dr6Host}, guest ${row.dr6Guest}`,
    `at ${row.clock} ns of virtual time`,
  ].join('\n');
  line.append(
    cell('number', String(row.sequence)),
    icon(row.owner),
    cell('trap', vectorName(row.vector)),
    cell('cpu', `vCPU ${row.vcpu}`),
    cell('place', placeOf(row)),
    said(row),
    cell('time', virtualTime(row.clock)),
  );
  return line;
}

function draw(): void {
  drawPending = false;
  // First what is hidden, since a hidden list cannot be scrolled.
  showState();
  const height = shown.length * rowHeight;
  space.style.height = `${height}px`;
  if (follow) list.scrollTop = height;
  const first = Math.max(0, Math.floor(list.scrollTop / rowHeight) - MARGIN);
  const last = Math.min(shown.length, Math.ceil((list.scrollTop + list.clientHeight) / rowHeight) + MARGIN);
  const wanted = new Set<number>();
  for (let index = first; index < last; index += 1) {
    const row = shown[index];
    if (row === undefined) continue;
    wanted.add(row.sequence);
    let line = drawn.get(row.sequence);
    if (line === undefined) {
      line = makeRow(row);
      drawn.set(row.sequence, line);
      space.append(line);
    }
    line.style.top = `${index * rowHeight}px`;
    line.setAttribute('aria-posinset', String(index + 1));
    line.setAttribute('aria-setsize', String(shown.length));
    line.classList.toggle('selected', row.sequence === selected);
    line.setAttribute('aria-selected', String(row.sequence === selected));
  }
  for (const [sequence, line] of drawn) {
    if (wanted.has(sequence)) continue;
    line.remove();
    drawn.delete(sequence);
  }
  if (selected !== undefined && wanted.has(selected)) list.setAttribute('aria-activedescendant', `row${selected}`);
  else list.removeAttribute('aria-activedescendant');
}

function showState(): void {
  empty.hidden = shown.length > 0;
  empty.textContent = rows.length > 0 ? EMPTY.filtered : EMPTY[state];
  list.hidden = shown.length === 0;
  const all = rows.length.toLocaleString('en');
  const text = isEmptyFilter(filter) ? `${all} traps` : `${shown.length.toLocaleString('en')} of ${all} traps`;
  count.textContent = rows.length === 0 ? '' : `${text}${state === 'ended' ? ', session over' : ''}`;
  newest.hidden = follow || shown.length === 0;
}

function drawSoon(): void {
  if (drawPending) return;
  drawPending = true;
  requestAnimationFrame(draw);
}

function forgetDrawn(): void {
  for (const line of drawn.values()) line.remove();
  drawn.clear();
}

/** Offers the vCPUs and vectors that there are, and nothing else. */
function fillChoices(box: HTMLSelectElement, values: Iterable<number>, name: (value: number) => string): void {
  const known = new Set([...box.options].map((option) => option.value));
  for (const value of [...values].sort((a, b) => a - b)) {
    if (!known.has(String(value))) box.add(new Option(name(value), String(value)));
  }
}

function offer(some: readonly LedgerRow[]): void {
  fillChoices(vectorBox, new Set(some.map((row) => row.vector)), vectorName);
  fillChoices(vcpuBox, new Set(some.map((row) => row.vcpu)), (vcpu) => `vCPU ${vcpu}`);
}

function addRows(some: readonly LedgerRow[]): void {
  rows.push(...some);
  offer(some);
  if (rows.length > CAPACITY * 1.25) {
    rows = rows.slice(-CAPACITY);
    shown = rows.filter(matches);
  } else shown.push(...some.filter(matches));
  drawSoon();
}

function startOver(newState: typeof state): void {
  state = newState;
  rows = [];
  shown = [];
  selected = undefined;
  follow = true;
  forgetDrawn();
  for (const box of [vectorBox, vcpuBox]) while (box.options.length > 1) box.remove(1);
  offerFilter();
  drawSoon();
}

const numberOf = (box: HTMLSelectElement): number | undefined => (box.value === '' ? undefined : Number(box.value));
const ownerOf = (value: string): LedgerFilter['owner'] => (value === 'host' || value === 'guest' ? value : '');

/** Puts the filter into the boxes; a choice that no row has offered yet is offered. */
function offerFilter(): void {
  textBox.value = filter.text;
  ownerBox.value = filter.owner;
  if (filter.vector !== undefined) fillChoices(vectorBox, [filter.vector], vectorName);
  if (filter.vcpu !== undefined) fillChoices(vcpuBox, [filter.vcpu], (vcpu) => `vCPU ${vcpu}`);
  vectorBox.value = filter.vector === undefined ? '' : String(filter.vector);
  vcpuBox.value = filter.vcpu === undefined ? '' : String(filter.vcpu);
}

function useFilter(next: LedgerFilter): void {
  filter = next;
  matches = matcher(filter);
  shown = rows.filter(matches);
  follow = true;
  api.setState({ filter });
  api.postMessage({ type: 'filter', filter });
  drawSoon();
}

function readFilterBoxes(): void {
  const [owner, vector, vcpu] = [ownerOf(ownerBox.value), numberOf(vectorBox), numberOf(vcpuBox)];
  useFilter({ text: textBox.value, owner, vector, vcpu });
}

function select(index: number): void {
  const row = shown[Math.max(0, Math.min(shown.length - 1, index))];
  if (row === undefined) return;
  selected = row.sequence;
  const at = shown.indexOf(row);
  follow = at === shown.length - 1;
  const top = at * rowHeight;
  if (top < list.scrollTop) list.scrollTop = top;
  else if (top + rowHeight > list.scrollTop + list.clientHeight) list.scrollTop = top + rowHeight - list.clientHeight;
  drawSoon();
}

function moveSelection(key: string): boolean {
  const current = shown.findIndex((row) => row.sequence === selected);
  const pageful = Math.max(1, Math.floor(list.clientHeight / rowHeight) - 1);
  const moves: Readonly<Record<string, number>> = {
    ArrowDown: current + 1,
    ArrowUp: current < 0 ? shown.length - 1 : current - 1,
    PageDown: current + pageful,
    PageUp: current - pageful,
    Home: 0,
    End: shown.length - 1,
  };
  const target = moves[key];
  if (target === undefined) return false;
  select(target);
  return true;
}

const open = (sequence: number): void => api.postMessage({ type: 'open', sequence });

list.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === 'Enter' && selected !== undefined) open(selected);
  else if (!moveSelection(event.key)) return;
  event.preventDefault();
});
list.addEventListener('click', (event) => {
  const line = event.target instanceof Element ? event.target.closest<HTMLElement>('.row') : null;
  const sequence = Number(line?.dataset['sequence'] ?? Number.NaN);
  if (Number.isNaN(sequence)) return;
  select(shown.findIndex((row) => row.sequence === sequence));
  open(sequence);
});
list.addEventListener('focus', () => {
  if (selected === undefined && shown.length > 0) select(shown.length - 1);
});
list.addEventListener('scroll', () => {
  if (list.clientHeight === 0) return;
  follow = list.scrollTop + list.clientHeight >= shown.length * rowHeight - rowHeight / 2;
  drawSoon();
});
newest.addEventListener('click', () => {
  follow = true;
  drawSoon();
  list.focus();
});
textBox.addEventListener('input', readFilterBoxes);
textBox.addEventListener('keydown', (event) => {
  if (event.key === 'ArrowDown') list.focus();
});
for (const box of [ownerBox, vectorBox, vcpuBox]) box.addEventListener('change', readFilterBoxes);
new ResizeObserver(() => {
  const wide = page.clientWidth >= WIDE;
  page.classList.toggle('wide', wide);
  rowHeight = wide ? ROW_HEIGHT.wide : ROW_HEIGHT.narrow;
  drawSoon();
}).observe(page);

window.addEventListener('message', (event: MessageEvent<ToLedger>) => {
  const message = event.data;
  switch (message.type) {
    case 'session':
      startOver(message.state);
      break;
    case 'rows':
      addRows(message.rows);
      break;
    case 'ended':
      state = 'ended';
      drawSoon();
      break;
    case 'clearFilter':
      useFilter(noFilter);
      offerFilter();
      break;
  }
});

offerFilter();
drawSoon();
if (!isEmptyFilter(filter)) api.postMessage({ type: 'filter', filter });
api.postMessage({ type: 'ready' });
