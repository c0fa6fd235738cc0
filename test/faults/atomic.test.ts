import { fork } from 'child_process';
import fs from 'fs'; // the module itself, so that a spy on it is seen by the library
import * as os from 'os';
import * as path from 'path';
import ts from 'typescript';
import { openAtomic, writeFileAtomic } from '../../lib/io';

let folder: string;
let file: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'atomic-'));
  file = path.join(folder, 'checkpoint');
});
afterEach(() => {
  jest.restoreAllMocks();
  fs.rmSync(folder, { recursive: true });
});
const text = () => fs.readFileSync(file, 'utf8');

test('new and old files are replaced whole, and no temporary file stays', () => {
  writeFileAtomic(file, 'one');
  expect(text()).toBe('one');
  writeFileAtomic(file, Uint8Array.of(0x74, 0x77, 0x6f));
  expect(text()).toBe('two');
  expect(fs.readdirSync(folder)).toEqual(['checkpoint']);
});

test('permissions and links stay as they were', () => {
  writeFileAtomic(file, 'one');
  fs.chmodSync(file, 0o600);
  const link = path.join(folder, 'link');
  fs.symlinkSync('checkpoint', link);
  writeFileAtomic(link, 'two');
  expect(fs.lstatSync(link).isSymbolicLink()).toBe(true);
  expect(text()).toBe('two');
  expect(fs.statSync(file).mode & 0o777).toBe(0o600);
});

test('a missing folder, a file as folder and a folder as file are errors that say what to do', () => {
  expect(() => writeFileAtomic(path.join(folder, 'no', 'x'), '')).toThrow(
    /folder .*no does not exist\. Create it first/,
  );
  writeFileAtomic(file, 'one');
  expect(() => writeFileAtomic(path.join(file, 'x'), '')).toThrow(/checkpoint is a file, not a folder/);
  expect(() => writeFileAtomic(folder, '')).toThrow(/that is a folder/);
});

test.each(['writeFileSync', 'fsyncSync', 'renameSync'] as const)(
  'a full disk at %s keeps the old content',
  (step) => {
    writeFileAtomic(file, 'one');
    jest.spyOn(fs, step).mockImplementationOnce(() => {
      throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    });
    expect(() => writeFileAtomic(file, 'two')).toThrow(
      /Cannot write .*checkpoint: ENOSPC.* The disk is full: free some space/,
    );
    expect(text()).toBe('one');
    expect(fs.readdirSync(folder)).toEqual(['checkpoint']);
  },
);

test('parts become visible together at commit, and never after abort', () => {
  const kept = openAtomic(file);
  kept.write('a');
  kept.write('b');
  expect(fs.existsSync(file)).toBe(false);
  kept.commit();
  kept.abort(); // too late, and harmless
  expect(text()).toBe('ab');
  const dropped = openAtomic(file);
  dropped.write('c');
  dropped.abort();
  expect(text()).toBe('ab');
  expect(() => dropped.write('d')).toThrow(/closed already/);
  expect(() => dropped.commit()).toThrow(/closed already/);
  expect(fs.readdirSync(folder)).toEqual(['checkpoint']);
});

test('a process killed while it writes leaves one content whole', async () => {
  // The library's own source, in a process that does nothing but overwrite one file with 2 MB of the same letter.
  const source = path.join(__dirname, '..', '..', 'lib', 'io', 'atomic.ts');
  const { outputText } = ts.transpileModule(fs.readFileSync(source, 'utf8'), {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
  });
  fs.writeFileSync(path.join(folder, 'atomic.js'), outputText);
  const script = path.join(folder, 'writer.js');
  fs.writeFileSync(
    script,
    `const { writeFileAtomic } = require('./atomic.js');
     for (let i = 0; ; i++) {
       writeFileAtomic(process.argv[2], (i % 2 ? 'A' : 'B').repeat(2 ** 21));
       if (i === 0) process.send('first');
     }`,
  );
  for (let round = 0; round < 8; round++) {
    const child = fork(script, [file]);
    await new Promise((resolve) => child.once('message', resolve));
    await new Promise((resolve) => setTimeout(resolve, round * 7)); // another phase of the write each time
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
    const content = text();
    expect(content.length).toBe(2 ** 21);
    expect([...new Set(content)].length).toBe(1);
  }
});

test('what a killed process has left is removed after an hour, what may be in use is not', () => {
  const dead = 2 ** 22 + 1; // more than any system numbers its processes
  const old = new Date(Date.now() - 2 * 3_600_000);
  const leave = (name: string, time?: Date): string => {
    fs.writeFileSync(path.join(folder, name), 'part');
    if (time) fs.utimesSync(path.join(folder, name), time, time);
    return name;
  };
  leave(`.checkpoint.${dead}-00ff00ff.tmp`, old);
  const kept = [
    leave(`.checkpoint.${dead}-11ff00ff.tmp`),
    leave(`.checkpoint.${process.pid}-22ff00ff.tmp`, old),
    leave(`.checkpoint.other.${dead}-33ff00ff.tmp`, old),
    leave(`.other.${dead}-44ff00ff.tmp`, old),
  ];
  writeFileAtomic(file, 'one');
  expect(fs.readdirSync(folder).sort()).toEqual([...kept, 'checkpoint'].sort());
});
