// Sets up what a command needs, then runs it.
'use strict';

const { catchSignals } = require('./children');
const { Failure, explain } = require('./failure');
const { openProject } = require('./project');
const { commands } = require('./commands');
const { ensure } = require('./steps');

async function main() {
  const [name, ...args] = process.argv.slice(2);
  const command = commands[name];
  if (!command)
    throw new Failure(`Unknown command ${name ?? ''}: choose one of ${Object.keys(commands).join(', ')}.`);
  const project = openProject();
  catchSignals();
  await ensure(project, command.needs);
  return command.run(project, args);
}

main().then(
  (code) => process.exit(code),
  (error) => process.exit(explain(error)),
);
