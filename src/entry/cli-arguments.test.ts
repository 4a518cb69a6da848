import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HELP } from '../cli/help.ts';
import { UsageError } from '../cli/exit-status.ts';
import { parseCommand } from './cli-arguments.ts';

test('commands', () => {
  assert.deepEqual(parseCommand(['--help']), { kind: 'help' });
  assert.deepEqual(parseCommand(['run', '-h']), { kind: 'help' });
  assert.deepEqual(parseCommand(['--version']), { kind: 'version' });
  assert.deepEqual(parseCommand(['dap']), { kind: 'dap', door: { kind: 'stdio' } });
  const port = { kind: 'port', port: 4711, token: true };
  assert.deepEqual(parseCommand(['dap', '--port', '4711']), { kind: 'dap', door: port });
  const open = parseCommand(['dap', '--port', '4711', '--no-token']);
  assert.deepEqual(open, { kind: 'dap', door: { ...port, token: false } });
  assert.deepEqual(parseCommand(['dap', '--socket', 's']), { kind: 'dap', door: { kind: 'socket', path: 's' } });
  const run = parseCommand(['run', '--kernel', 'k', '--smp=2', '--digest']);
  assert.ok(run.kind === 'run' && run.options.cpus === 2 && run.options.digest);
});

test('bad usage is one line that names the argument', () => {
  const cases: [string[], RegExp][] = [
    [[], /a command is missing/],
    [['walk'], /'walk' is not a command/],
    [['run'], /--kernel/],
    [['run', '--kernel'], /--kernel/],
    [['run', '--kernel', 'k', '--cpus', '2'], /--cpus/],
    [['run', 'k'], /'k'/],
    [['dap', '--port', '70000'], /'70000'/],
    [['dap', '--port', '1', '--socket', 's'], /choose one/],
    [['dap', '--no-token'], /--no-token goes with --port only/],
    [['dap', '--socket', 's', '--no-token'], /--no-token goes with --port only/],
    [['dap', '--socket='], /the path is empty/],
  ];
  for (const [args, message] of cases) {
    assert.throws(
      () => parseCommand(args),
      (error) => error instanceof UsageError && message.test(error.message) && !error.message.includes('\n'),
      args.join(' '),
    );
  }
});

test('the help names every option', () => {
  for (const option of ['kernel', 'initrd', 'append', 'smp', 'memory', 'no-jit', 'until', 'max-instructions']) {
    assert.ok(HELP.includes(`--${option}`), option);
  }
  for (const option of ['timeout', 'stats', 'ledger', 'digest', 'port', 'no-token', 'socket', 'version']) {
    assert.ok(HELP.includes(`--${option}`), option);
  }
});
