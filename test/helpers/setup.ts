/** Set-up is plain JavaScript: it runs before there is a compiler. */
import * as path from 'node:path';

export const setup = path.resolve(__dirname, '..', '..', 'lib', 'setup');
export const load = (name: string) => require(path.join(setup, name));

/** Runs a script that may use `load`, in a process of its own. */
export function script(code: string, env: NodeJS.ProcessEnv = {}) {
  const prelude = `const load = (name) => require(${JSON.stringify(setup)} + '/' + name);`;
  return [['-e', prelude + code], { env: { ...process.env, ...env } }] as const;
}
