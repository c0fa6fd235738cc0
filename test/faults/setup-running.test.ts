/** Set-up while it runs: interrupted, in several processes at a time, and what it shows. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { PassThrough } from 'node:stream';
import { load, script } from '../helpers/setup';

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tsdiffusion-setup-'));
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

describe('interruption', () => {
  test('Ctrl-C ends the running program and gives exit code 130', async () => {
    const code = `
      const { catchSignals, runQuietly } = load('children');
      catchSignals();
      const work = runQuietly('sleep', ['60'], { cwd: '.', log: ${JSON.stringify(path.join(folder, 'log'))} });
      console.log('running');
      work.catch((error) => process.exit(load('failure').explain(error)));`;
    const child = spawn(process.execPath, ...script(code));
    let errors = '';
    child.stderr.on('data', (text) => (errors += text));
    child.stdout.once('data', () => child.kill('SIGINT'));
    const status = await new Promise((resolve) => child.once('close', resolve));
    expect(status).toBe(130);
    expect(errors.trim()).toBe(
      'Interrupted: what is finished is kept, and the same command goes on from here.',
    );
  });
});

describe('the lock', () => {
  test('lets one process work at a time', async () => {
    const lock = JSON.stringify(path.join(folder, 'lock'));
    const log = JSON.stringify(path.join(folder, 'log'));
    const code = `
      const fs = require('node:fs');
      load('lock').withLock(${lock}, async () => {
        fs.appendFileSync(${log}, 'in ');
        await new Promise((resolve) => setTimeout(resolve, 150));
        fs.appendFileSync(${log}, 'out ');
      });`;
    const children = [1, 2, 3].map(() => spawn(process.execPath, ...script(code)));
    await Promise.all(children.map((child) => new Promise((resolve) => child.once('close', resolve))));
    expect(fs.readFileSync(path.join(folder, 'log'), 'utf8')).toBe('in out in out in out ');
    expect(fs.existsSync(path.join(folder, 'lock'))).toBe(false);
  });

  test('of a process that is gone is taken over', async () => {
    const { withLock } = load('lock');
    const gone = spawnSync(process.execPath, ['-e', '']).pid;
    fs.writeFileSync(path.join(folder, 'lock'), JSON.stringify({ pid: gone, host: os.hostname() }));
    const said: string[] = [];
    await expect(
      withLock(
        path.join(folder, 'lock'),
        () => 'done',
        (text: string) => said.push(text),
      ),
    ).resolves.toBe('done');
    expect(said).toEqual([]);
  });

  test('is released when the work fails', async () => {
    const { withLock } = load('lock');
    const file = path.join(folder, 'lock');
    await expect(
      withLock(file, () => {
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    expect(fs.existsSync(file)).toBe(false);
  });
});

describe('progress', () => {
  const { reportStep } = load('progress');
  const written = (isTTY: boolean) => {
    const stream = Object.assign(new PassThrough(), { isTTY, columns: 40 });
    const report = reportStep('[1/2] Thing', stream);
    report.update('fetching 1 MB of 2 MB', 0.5);
    report.finish('done');
    // Newer Nodes hand out one chunk a call.
    let text = '';
    for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) text += String(chunk);
    return text;
  };

  test('is one line on a terminal', () => {
    expect(written(true)).toMatch(
      /^\r\x1b\[K\[1\/2\] Thing: fetching 1 MB of 2 MB 50 … ?\r\x1b\[K\[1\/2\] Thing: done \(0 s\)\n$/,
    );
  });

  test('is plain lines elsewhere', () => {
    expect(written(false)).toBe('[1/2] Thing: fetching 1 MB of 2 MB 50 % (0 s)\n[1/2] Thing: done (0 s)\n');
  });
});
