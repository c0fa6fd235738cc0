import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { execute, notebookFolder, printed, root, writeNotebook } from '../helpers/notebooks';

describe('a notebook on the real kernel', () => {
  let folder: string;
  let run: ReturnType<typeof execute>;
  const shallow = () => path.join(folder, 'shallow.ipynb');
  const deep = () => path.join(folder, 'two', 'deeper', 'deep.ipynb');
  const wrong = () => path.join(folder, 'wrong.ipynb');

  const imports =
    "import { linearSchedule, tf } from 'tsdiffusion';\nconst schedule = linearSchedule({ T: 10 });";

  beforeAll(() => {
    folder = notebookFolder('kernel');
    const works = [
      imports,
      'const T: number = schedule.T;\nconsole.log(T, tf.tensor([1, 2]).add(1).arraySync());',
      'console.log({ T });',
    ];
    writeNotebook(shallow(), works);
    writeNotebook(deep(), works);
    writeNotebook(wrong(), [imports, 'const text: string = schedule.T;']);
    run = execute([shallow(), deep(), wrong()], ['--keep-going', '--write', '--jobs', '2']);
  }, 180_000);
  afterAll(() => fs.rmSync(folder, { recursive: true, force: true }));

  test('imports the library from any depth', () => {
    expect(run.results.get('shallow')).toMatchObject({ ok: true });
    expect(run.results.get('deep')).toMatchObject({ ok: true });
    for (const file of [shallow(), deep()]) expect(printed(file, 1)).toBe('10 [ 2, 3 ]\n');
  });

  test('knows a name of an earlier cell in { name }, too', () => {
    expect(printed(shallow(), 2)).toBe('{ T: 10 }\n');
  });

  test("has the library's types, also in later cells", () => {
    expect(run.results.get('wrong')?.failures).toEqual([
      {
        cell: 2,
        line: 'const text: string = schedule.T;',
        message: expect.stringContaining("Type 'number' is not assignable to type 'string'"),
      },
    ]);
  });
});

describe('editing lib', () => {
  const outside = fs.mkdtempSync(path.join(os.tmpdir(), 'tsdiffusion-outside-'));
  let project: string;
  afterEach(() => {
    for (const folder of [project, outside]) fs.rmSync(folder, { recursive: true, force: true });
  });

  /** A project with a library of its own, on the packages and the Python of this one. */
  function makeProject(): string {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tsdiffusion-project-'));
    const link = (name: string) => {
      fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      fs.symlinkSync(fs.realpathSync(path.join(root, name)), path.join(folder, name));
    };
    for (const name of ['setup', 'jupyter']) {
      fs.cpSync(path.join(root, 'lib', name), path.join(folder, 'lib', name), { recursive: true });
    }
    for (const name of ['package.json', 'tsconfig.json'])
      fs.copyFileSync(path.join(root, name), path.join(folder, name));
    for (const name of fs.readdirSync(path.join(root, 'node_modules'))) {
      if (!name.startsWith('.') && name !== 'tsdiffusion') link(path.join('node_modules', name));
    }
    link('.venv/bin/python');
    link('.venv/lib');
    fs.copyFileSync(path.join(root, '.venv', 'pyvenv.cfg'), path.join(folder, '.venv', 'pyvenv.cfg'));
    fs.copyFileSync(path.join(root, 'lib', 'notice.ts'), path.join(folder, 'lib', 'notice.ts'));
    const code = `
      const load = (name) => require(${JSON.stringify(path.join(folder, 'lib', 'setup'))} + '/' + name);
      load('steps/kernelspec').kernelspecStep(load('project').openProject()).run();`;
    spawnSync(process.execPath, ['-e', code]);
    return folder;
  }

  test('is picked up by a fresh kernel, type errors included', () => {
    project = makeProject();
    const library = path.join(project, 'lib', 'index.ts');
    const write = (value: string) =>
      fs.writeFileSync(
        library,
        `import { warnOfBuildErrors } from './notice';\nwarnOfBuildErrors();\nexport const answer: number = ${value};\n`,
      );
    // The second notebook lies outside the project: it is run from within.
    const inside = path.join(notebookFolder('edit', project), 'edit.ipynb');
    const elsewhere = path.join(outside, 'edit.ipynb');
    for (const file of [inside, elsewhere]) {
      writeNotebook(file, ["import { answer } from 'tsdiffusion';\nconsole.log(answer);"]);
    }

    write('1');
    expect(execute([inside], ['--write'], { project }).results.get('edit')).toMatchObject({ failures: [] });
    expect(printed(inside, 0)).toBe('1\n');

    write('22');
    expect(execute([elsewhere], ['--write'], { project }).results.get('edit')).toMatchObject({
      failures: [],
    });
    expect(printed(elsewhere, 0)).toBe('22\n');

    write('"three"');
    const { status, results } = execute([inside], [], { project });
    expect(status).toBe(1);
    const [failure] = results.get('edit')?.failures ?? [];
    expect(failure.message).toMatch(/lib has type errors; the notebook runs with what could be compiled/);
    expect(failure.message).toMatch(/lib\/index\.ts\(3,14\): error TS2322/);
  }, 180_000);
});
