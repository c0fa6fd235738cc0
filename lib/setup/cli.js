// The door of every npm command: sets up what that command needs, then runs it.
//   node lib/setup/cli.js <command> [arguments]
'use strict';

const { catchSignals } = require('./children');
const { Failure, explain } = require('./failure');
const { openProject } = require('./project');
const { commands } = require('./commands');

async function main() {
  const [name, ...args] = process.argv.slice(2);
  const command = commands[name];
  if (!command)
    throw new Failure(`Unknown command ${name ?? ''}: choose one of ${Object.keys(commands).join(', ')}.`);
  const project = openProject();
  catchSignals();
  if (command.needs.length > 0) {
    // Loaded late: doctor must be able to report a Node that is too old for these files.
    const { ensure } = require('./steps');
    await ensure(project, command.needs);
  }
  return command.run(project, args);
}

main().then(
  (code) => process.exit(code),
  (error) => process.exit(explain(error)),
);
