// The door of every npm command: node lib/setup/cli.js <command> [arguments]
// Written so that Node 8 can read it: all other files would be a syntax error there, not a clear sentence.
'use strict';

if (parseInt(process.versions.node, 10) < 20) {
  console.error(
    'Node ' +
      process.versions.node +
      ' is too old: install Node 20 or newer (nodejs.org, nvm or your package manager) and run the command again.',
  );
  process.exit(1);
}

require('./main');
