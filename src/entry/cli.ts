// The executable `trapline`: understands the command line and hands over.
import process from 'node:process';
import packageFile from '../../package.json' with { type: 'json' };
import { STATUS, UsageError } from '../cli/exit-status.ts';
import { HELP } from '../cli/help.ts';
import { run } from '../cli/run.ts';
import { parseCommand, type Command } from './cli-arguments.ts';
import { dap } from './dap-command.ts';
import { EndSignals, lastWords } from './end-signals.ts';
import { createNodeEnvironment } from './node-console.ts';

async function execute(command: Command, signals: EndSignals): Promise<number> {
  switch (command.kind) {
    case 'help':
      process.stdout.write(HELP);
      return STATUS.success;
    case 'version':
      process.stdout.write(`trapline ${packageFile.version}\n`);
      return STATUS.success;
    case 'run':
      return run(command.options, createNodeEnvironment(signals));
    case 'dap':
      await dap(command.door, signals);
      return signals.status ?? STATUS.success;
  }
}

// Whoever reads may go away (`| head`): that is no fault of ours, and the exit status still counts.
for (const output of [process.stdout, process.stderr]) output.on('error', () => undefined);
const signals = new EndSignals();
try {
  process.exitCode = await execute(parseCommand(process.argv.slice(2)), signals);
} catch (error) {
  const usage = error instanceof UsageError;
  const message = usage ? error.message : `internal error: ${error instanceof Error ? error.stack : String(error)}`;
  process.stderr.write(`trapline: ${message}\n`);
  process.exitCode = usage ? STATUS.usage : STATUS.internalError;
}
if (signals.status !== undefined) {
  await lastWords(process.stdout, process.stderr);
  process.exit(process.exitCode);
}
