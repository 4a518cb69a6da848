/** What the suite inside the extension host leaves in the file that TRAPLINE_HOST_REPORT names. */
export interface HostReport {
  readonly tests: readonly HostTest[];
}

export interface HostTest {
  /** Titles of the groups and of the test, outermost first. */
  readonly path: readonly string[];
  readonly state: 'passed' | 'failed' | 'pending';
  /** Stack of what was thrown. */
  readonly error?: string;
}
