import * as vscode from 'vscode';
import type { GuestSessions } from './guest-sessions.ts';
import type { GuestSession } from './guest-session.ts';
import type { TreeRow } from './tree-row.ts';

/** What a tree shows of a session. */
export interface TreeContent {
  readonly rows: readonly TreeRow[];
  /** Beside the view's name. */
  readonly summary: string;
  /** Above the rows, in as many lines as it takes. */
  readonly message?: string;
}
/** Before anything is known. */
export const NOTHING: TreeContent = { rows: [], summary: '' };

/** A tree view whose rows come whole out of what the session was last told. */
export class RowTreeView implements vscode.TreeDataProvider<TreeRow>, vscode.Disposable {
  readonly #changed = new vscode.EventEmitter<undefined>();
  readonly #sessions: GuestSessions;
  readonly #content: (session: GuestSession) => TreeContent;
  readonly #view: vscode.TreeView<TreeRow>;
  readonly #listener: vscode.Disposable;
  #current: readonly TreeRow[] = [];

  readonly onDidChangeTreeData = this.#changed.event;

  constructor(id: string, sessions: GuestSessions, content: (session: GuestSession) => TreeContent) {
    this.#sessions = sessions;
    this.#content = content;
    this.#view = vscode.window.createTreeView(id, { treeDataProvider: this, showCollapseAll: true });
    this.#listener = vscode.Disposable.from(
      sessions.onDidChange(() => this.#refresh()),
      this.#view.onDidChangeVisibility(() => this.#refresh()),
    );
  }

  dispose(): void {
    this.#listener.dispose();
    this.#view.dispose();
    this.#changed.dispose();
  }

  #refresh(): void {
    if (!this.#view.visible) return;
    const session = this.#sessions.current;
    const { rows, summary, message = '' } = session === undefined ? NOTHING : this.#content(session);
    this.#current = rows;
    this.#view.description = summary;
    this.#view.message = message;
    this.#changed.fire(undefined);
  }

  getChildren(row?: TreeRow): TreeRow[] {
    return [...(row?.children ?? this.#current)];
  }

  getTreeItem(row: TreeRow): vscode.TreeItem {
    const { None, Collapsed, Expanded } = vscode.TreeItemCollapsibleState;
    const item = new vscode.TreeItem(
      row.label,
      row.children.length === 0 ? None : row.expanded === true ? Expanded : Collapsed,
    );
    // VS Code keeps a row's folding by its id: a row that is to open itself gets an id of its own.
    item.id = row.expanded === true ? `${row.id}!` : row.id;
    item.description = row.description;
    item.tooltip = row.tooltip;
    if (row.icon !== undefined) {
      const color = row.color === undefined ? undefined : new vscode.ThemeColor(row.color);
      item.iconPath = new vscode.ThemeIcon(row.icon, color);
    }
    if (row.accessible !== undefined) item.accessibilityInformation = { label: row.accessible };
    if (row.threadId !== undefined) {
      item.command = { command: 'trapline.focusVcpu', title: 'Focus on vCPU', arguments: [row.threadId] };
    }
    return item;
  }
}
