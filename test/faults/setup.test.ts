/** Set-up on systems that it cannot work on, and the runtime that it fetches. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { load, script, setup } from '../helpers/setup';

const { openProject } = load('project');
const { Failure } = load('failure');

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tsdiffusion-setup-'));
});
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }));

describe('the system', () => {
  const { unsupported } = load('steps/platform');
  const linux = { platform: 'linux', arch: 'x64', musl: false };

  test.each([[linux], [{ ...linux, arch: 'arm64' }], [{ ...linux, platform: 'darwin', arch: 'arm64' }]])(
    '%j is supported',
    (system) => expect(unsupported(system)).toBeUndefined(),
  );

  test.each([
    [{ ...linux, platform: 'win32' }, /WSL2.*wsl --install/],
    [{ ...linux, platform: 'darwin' }, /Intel Macs/],
    [{ ...linux, arch: 'ia32' }, /linux-ia32 is not supported/],
    [{ ...linux, platform: 'freebsd' }, /freebsd-x64 is not supported/],
    [{ ...linux, musl: true }, /musl.*glibc/],
  ])('%j is refused in one sentence', (system, sentence) => {
    expect(unsupported(system)).toMatch(sentence);
    expect(unsupported(system)).toMatch(/^[^\n]+\.$/);
  });
});

describe('failures', () => {
  test('a Node that is too old', () => {
    const code = `
      Object.defineProperty(process.versions, 'node', { value: '12.22.0' });
      load('cli.js');`;
    const { status, stderr } = spawnSync(process.execPath, ...script(code));
    expect(status).toBe(1);
    expect(String(stderr)).toMatch(/^Node 12\.22\.0 is too old: install Node 20 or newer .*\.\n$/);
  });

  test('an unknown command ends with one sentence and exit code 1', () => {
    const { status, stderr } = spawnSync(process.execPath, [path.join(setup, 'cli.js'), 'fly'], {
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stderr.trim()).toMatch(/^Unknown command fly: choose one of start, test, .+\.$/);
  });

  test.each([
    ['npm error code EAI_AGAIN', /registry cannot be reached; check the network/],
    ['ERROR: No matching distribution found for jupyterlab', /registry cannot be reached/],
    ['npm error ENOSPC: no space left on device', /disk is full; free some space/],
    ['fine so far\nERROR: the moon is too bright\nbye', /the moon is too bright.*whole output: the\.log/],
  ])('the output %j becomes a sentence', (output, sentence) => {
    const { networkFailure } = load('steps/network');
    const failure = networkFailure('pip could not', output, 'the.log');
    expect(failure).toBeInstanceOf(Failure);
    expect(failure.message).toMatch(/^pip could not: .+\.$/);
    expect(failure.message).toMatch(sentence);
  });

  test('a disk that is too small is refused before anything is fetched', () => {
    const { checkDisk } = load('steps');
    const step = { name: 'Huge', needs: () => ({ download: 1, disk: 1e18 }) };
    expect(() => checkDisk(folder, [step])).toThrow(
      /Not enough disk space: 1000000000\.0 GB are needed in .+ are free; free some/,
    );
  });

  test('a Python that is named but is none', () => {
    const code = `try { load('steps/python').findPython() } catch (error) { console.log(error.message) }`;
    const { stdout } = spawnSync(
      process.execPath,
      ...script(code, { TSDIFFUSION_PYTHON: '/nowhere/python' }),
    );
    expect(String(stdout)).toMatch(
      /TSDIFFUSION_PYTHON is \/nowhere\/python, which is no Python 3\.10 or newer: correct it/,
    );
  });

  test('no Python at all', () => {
    const code = `try { load('steps/python').findPython() } catch (error) { console.log(error.message) }`;
    const { stdout } = spawnSync(process.execPath, ...script(code, { PATH: folder, TSDIFFUSION_PYTHON: '' }));
    expect(String(stdout)).toMatch(
      /^Python 3\.10 or newer is missing: install it.*, then run the command again\.$/m,
    );
  });

  test('a Python without venv', () => {
    const fake = path.join(folder, 'python3');
    fs.writeFileSync(fake, '#!/bin/sh\necho 3.12.1\nexit 1\n', { mode: 0o755 });
    const code = `try { load('steps/python').findPython() } catch (error) { console.log(error.message) }`;
    const { stdout } = spawnSync(process.execPath, ...script(code, { PATH: folder, TSDIFFUSION_PYTHON: '' }));
    expect(String(stdout)).toMatch(
      /^Python 3\.12\.1 lacks its venv module: install it.*, then run the command again\.$/m,
    );
  });

  test('a shared runtime that is not there', () => {
    const code = `
      const step = load('steps/runtime').runtimeStep(load('project').openProject(${JSON.stringify(folder)}));
      console.log(step.isDone());
      step.run({ update() {} }).catch((error) => console.log(error.message));`;
    const { stdout } = spawnSync(
      process.execPath,
      ...script(code, { TSDIFFUSION_RUNTIME: path.join(folder, 'no') }),
    );
    expect(String(stdout)).toMatch(
      /^false\nTSDIFFUSION_RUNTIME is .*no, which holds no complete runtime: correct or unset it/,
    );
  });
});

describe('the TensorFlow runtime', () => {
  const { runtimeStep, destination } = load('steps/runtime');

  test('is not done while a library is missing', () => {
    const project = openProject(folder);
    fs.mkdirSync(path.join(project.local, 'tf'), { recursive: true });
    const description = {
      tensorflow: '2.21.0',
      variant: 'cuda',
      libraries: 'tf',
      framework: 'a.so',
      cc: 'b.so',
    };
    fs.writeFileSync(path.join(project.local, 'runtime.json'), JSON.stringify(description));
    fs.writeFileSync(path.join(project.local, 'tf', 'a.so'), '');
    expect(runtimeStep(project).isDone()).toBe(false);
    fs.writeFileSync(path.join(project.local, 'tf', 'b.so'), '');
    expect(runtimeStep(project).isDone()).toBe(true);
    fs.writeFileSync(
      path.join(project.local, 'runtime.json'),
      JSON.stringify({ ...description, tensorflow: '2.9.1' }),
    );
    expect(runtimeStep(project).isDone()).toBe(false);
  });

  test.each([
    ['tensorflow/libtensorflow_cc.so.2', 'top/tensorflow/libtensorflow_cc.so.2'],
    ['tensorflow/libtensorflow_framework.2.dylib', 'top/tensorflow/libtensorflow_framework.2.dylib'],
    ['tensorflow/include/tensorflow/c/eager/c_api.h', 'top/include/tensorflow/c/eager/c_api.h'],
    ['nvidia/cudnn/lib/libcudnn.so.9', 'top/nvidia/cudnn/lib/libcudnn.so.9'],
    ['nvidia/cudnn/include/cudnn.h', undefined],
    ['tensorflow/include/tensorflow/core/public/session.h', undefined],
    ['tensorflow/python/_pywrap_tensorflow_internal.so', undefined],
    ['tensorflow/__init__.py', undefined],
  ])('%s goes to %s', (entry, target) => expect(destination(entry, 'top', 'top/tensorflow')).toBe(target));

  test('every pinned wheel has a hash and a size', () => {
    const { variants } = load('tensorflow.json');
    expect(Object.keys(variants).sort()).toEqual([
      'darwin-arm64-cpu',
      'linux-arm64-cpu',
      'linux-x64-cpu',
      'linux-x64-cuda',
    ]);
    for (const { wheels } of Object.values<any>(variants)) {
      for (const wheel of wheels) {
        expect(wheel).toMatchObject({
          sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
          bytes: expect.any(Number),
        });
      }
    }
  });
});
