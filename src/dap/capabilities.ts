/** Exactly what is implemented; clients rely on every word. */
import type { P } from './protocol.ts';

export const exceptionFilters: readonly P.ExceptionBreakpointsFilter[] = [
  {
    filter: 'guestBp',
    label: 'Guest #BP',
    description: "Stops before a breakpoint exception (vector 3) of the guest's own is delivered to it.",
    default: false,
  },
  {
    filter: 'guestDb',
    label: 'Guest #DB',
    description: "Stops before a debug exception (vector 1) of the guest's own is delivered to it.",
    default: false,
  },
  {
    filter: 'panic',
    label: 'Kernel panic',
    description:
      'Linux: stops at panic(), before it says or stops anything. Does nothing where the kernel has no such function.',
    supportsCondition: true,
    conditionDescription: 'Expression at its entry, such as $rdi != 0',
    default: true,
  },
  {
    filter: 'oops',
    label: 'Kernel oops',
    description:
      'Linux: stops at oops_enter(), where it begins to report a fault of its own code, with the place on the stack. Does nothing where the kernel has no such function.',
    supportsCondition: true,
    conditionDescription: 'Expression at its entry, such as $rdi != 0',
    default: true,
  },
  {
    filter: 'tripleFault',
    label: 'Triple fault',
    description:
      'Stops when a vCPU shuts down because no exception can be delivered any more; else that ends the session.',
    default: true,
  },
];

/** What is caught until the client says otherwise: also for clients that never do. */
export const defaultFilters: readonly string[] = exceptionFilters
  .filter(({ default: isOn }) => isOn === true)
  .map(({ filter }) => filter);

export const capabilities: P.Capabilities = {
  supportsConfigurationDoneRequest: true,
  supportsFunctionBreakpoints: true,
  supportsConditionalBreakpoints: true,
  supportsHitConditionalBreakpoints: true,
  supportsLogPoints: true,
  supportsEvaluateForHovers: true,
  exceptionBreakpointFilters: [...exceptionFilters],
  supportsExceptionFilterOptions: true,
  supportsExceptionInfoRequest: true,
  supportsSetVariable: true,
  supportsSetExpression: true,
  supportsCompletionsRequest: true,
  completionTriggerCharacters: ['.', '>', '$'],
  supportsDataBreakpoints: true,
  supportsDataBreakpointBytes: true,
  supportsInstructionBreakpoints: true,
  supportsBreakpointLocationsRequest: true,
  supportsReadMemoryRequest: true,
  supportsWriteMemoryRequest: true,
  supportsDisassembleRequest: true,
  supportsSteppingGranularity: true,
  supportsSingleThreadExecutionRequests: true,
  supportsLoadedSourcesRequest: true,
  supportsModulesRequest: true,
  supportsRestartRequest: true,
  supportsTerminateRequest: true,
  supportsValueFormattingOptions: true,
  supportsDelayedStackTraceLoading: false,
  supportsCancelRequest: true,
};
