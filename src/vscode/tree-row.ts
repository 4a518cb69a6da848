// A row of our trees, without VS Code.

/** A row of a tree, as far as words and names go. */
export interface TreeRow {
  readonly id: string;
  readonly label: string;
  readonly description: string;
  readonly tooltip: string;
  /** Id of a product icon, and of its theme colour. */
  readonly icon?: string;
  readonly color?: string;
  /** What a screen reader says instead of label and description. */
  readonly accessible?: string;
  readonly expanded?: boolean;
  readonly children: readonly TreeRow[];
  /** Thread to focus when the row is chosen. */
  readonly threadId?: number;
}

/** A row without rows below it. */
export const leaf = (id: string, label: string, description: string, icon?: string): TreeRow => ({
  id,
  label,
  description,
  tooltip: `${label}: ${description}`,
  accessible: `${label}: ${description}`,
  children: [],
  ...(icon === undefined ? {} : { icon }),
});
