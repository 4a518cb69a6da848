// Exit statuses of the command line; public API (README, `trapline --help`).
export const STATUS = {
  /** --until matched; power-off or reset by the guest. */
  success: 0,
  /** Something went wrong inside Trapline. */
  internalError: 1,
  /** Bad usage or unreadable input. */
  usage: 2,
  tripleFault: 4,
  /** --timeout or --max-instructions. */
  limit: 124,
} as const;

/** Bad usage or unreadable input: one clear line, exit status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'usage';
}
