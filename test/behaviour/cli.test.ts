/** `npm run train` and `npm run sample` as their users meet them: compiled, in processes of their own. */
import * as fs from 'fs';
import * as path from 'path';
import { readNpy, readPng } from '../../lib/io';
import { presets } from '../../lib/models';
import { loadModel, readCheckpointInfo, resumeTraining, saveCheckpoint } from '../../lib/training';
import { program, runNode, temporaryFolder, tinyPreset, tinyRun, type Ended } from '../helpers/tiny';

jest.setTimeout(180_000); // each program is a process of its own; a busy machine starts it slowly
const folder = temporaryFolder();
const at = (name: string): string => path.join(folder, name);
const files = (): string[] => fs.readdirSync(folder).sort();
const run = (
  name: 'train' | 'sample',
  line: string,
  ...rest: Parameters<typeof runNode> extends [any, any, ...infer R] ? R : never
): Promise<Ended> => runNode([program(name), ...line.split(' ').filter(Boolean)], folder, ...rest);

/** Begins a run of the tiny preset, without its first step, as a checkpoint that the program can go on with. */
async function begin(name: string, steps: number, T?: number): Promise<void> {
  const tiny = tinyRun({ preset: tinyPreset({ T }), steps });
  await saveCheckpoint(at(name), tiny.options.state, tiny.info);
  tiny.dispose();
}

describe.each([
  [
    'train',
    ['--preset', '--epochs', '--steps', '--batch-size', '--lr', '--seed', '--out', '--resume', '--export-to'],
  ],
  [
    'sample',
    [
      '--checkpoint',
      '--count',
      '--seed',
      '--out',
      '--sampler',
      '--steps',
      '--spacing',
      '--eta',
      '--batch-size',
      '--columns',
      '--scale',
    ],
  ],
] as const)('%s --help', (name, flags) => {
  test('lists every flag, the presets and an example, and ends well', async () => {
    const { code, stdout, stderr } = await run(name, '--help');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const flag of flags) expect(stdout).toMatch(new RegExp(`^  ${flag} <`, 'm'));
    if (name === 'train')
      for (const preset of Object.keys(presets)) expect(stdout).toMatch(new RegExp(`^  ${preset} `, 'm'));
    expect(stdout).toContain(`npm run ${name} -- --`);
  });
});

describe('train', () => {
  test('trains a preset from the command line, writes checkpoint and weights, and says what to do next', async () => {
    const line =
      '--preset small --steps 3 --batch-size 2 --seed 7 --lr 0.001 --save-every 2 --out small.ckpt --export-to half.ckpt';
    const { code, stdout, stderr } = await run('train', line);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^small: [\d,]+ parameters, seed 7, 3 steps of 2 images \(0\.00 epochs\), on .+ with \d+ threads$/m,
    );
    expect(stdout).toMatch(/^step 2  mean loss \d\.\d{4}  validation \d\.\d{4}  \d+ s$/m);
    expect(stdout).toMatch(/^step 3  mean loss \d\.\d{4}  validation \d\.\d{4}  \d+ s$/m);
    expect(stdout).toMatch(
      /npm run sample -- --checkpoint small\.ckpt --count 64 --seed 0 --out digits\.png/,
    );
    expect(stdout).toMatch(
      /^Loss of the averaged weights on 2000 validation images, by t\n[^]*^180 to 199 .*\d$/m,
    );
    expect(stderr).toMatch(/^training: 100 %, 3 of 3, in .* loss \d\.\d{4} {2}validation \d\.\d{4}/m);
    const info = readCheckpointInfo(at('small.ckpt'));
    expect(info).toMatchObject({ seed: 7, step: 3, totalSteps: 3, kind: 'training' });
    expect(info.preset.training).toMatchObject({ batchSize: 2, learningRate: 0.001 });
    expect(readCheckpointInfo(at('half.ckpt'))).toMatchObject({ seed: 7, step: 3, kind: 'weights' });
    expect(fs.statSync(at('half.ckpt')).size).toBeLessThan(fs.statSync(at('small.ckpt')).size / 6);
  });

  test("tells of the signal that the notes' schedule leaves", async () => {
    const { stdout } = await run('train', '--preset lecture2025 --steps 1 --batch-size 1 --out notes.ckpt');
    expect(stdout).toMatch(/^note: The linear schedule with T = 300 leaves 4\.8 % of the signal/m);
  });

  test('Ctrl-C saves and prints the command that goes on; the end is that of an uninterrupted run', async () => {
    await begin('whole.ckpt', 60);
    await begin('parts.ckpt', 60);
    const whole = await run('train', '--resume whole.ckpt --save-every 1000');
    expect(whole.code).toBe(0);

    const first = await run(
      'train',
      '--resume parts.ckpt --export-to end.ckpt --save-every 1000',
      (output, kill) => {
        if (output.includes('10 %') && !output.includes('stopped')) kill('SIGINT');
      },
    );
    expect(first.code).toBe(130);
    expect(first.stderr).toMatch(/stopped after/);
    expect(first.stderr).not.toMatch(/Error|\bat /);
    const [, step, command] = /^stopped at step (\d+) and saved; go on with: npm run train -- (.+)$/m.exec(
      first.stdout,
    )!;
    expect(command).toBe('--resume parts.ckpt --export-to end.ckpt');
    expect(readCheckpointInfo(at('parts.ckpt'))).toMatchObject({ step: Number(step), totalSteps: 60 });
    expect(Number(step)).toBeGreaterThan(0);
    expect(Number(step)).toBeLessThan(60);

    const second = await run('train', command);
    expect(second.code).toBe(0);
    expect(second.stdout).toMatch(new RegExp(`^going on from step ${step}$`, 'm'));
    expect(fs.readFileSync(at('parts.ckpt')).equals(fs.readFileSync(at('whole.ckpt')))).toBe(true);
    loadModel(at('end.ckpt')).model.dispose();
    expect(files().filter((name) => name.endsWith('.tmp'))).toEqual([]);

    const third = await run('train', command);
    expect(third.code).toBe(0);
    expect(third.stdout).toMatch(/was finished already/);
    expect(fs.readFileSync(at('parts.ckpt')).equals(fs.readFileSync(at('whole.ckpt')))).toBe(true);
  });

  test('does not write over an interrupted run, but over a finished one', async () => {
    await begin('lost.ckpt', 500);
    const bytes = fs.readFileSync(at('lost.ckpt'));
    const refused = await run('train', '--steps 1 --batch-size 1 --out lost.ckpt');
    expect(refused).toMatchObject({
      code: 1,
      stdout: '',
      stderr:
        'error: lost.ckpt holds an interrupted run (0 of 500 steps): go on with --resume lost.ckpt, choose another --out, or delete the file.\n',
    });
    expect(fs.readFileSync(at('lost.ckpt')).equals(bytes)).toBe(true);
    const { code } = await run('train', '--steps 1 --batch-size 1 --out notes.ckpt');
    expect(code).toBe(0);
    expect(readCheckpointInfo(at('notes.ckpt')).preset.name).toBe('small');
  });

  test('says once that nothing is learned', async () => {
    const training = { batchSize: 1, learningRate: 1e-12 };
    const tiny = tinyRun({ preset: tinyPreset({ training }), steps: 502 });
    await saveCheckpoint(at('stuck.ckpt'), tiny.options.state, tiny.info);
    tiny.dispose();
    const { code, stdout } = await run('train', '--resume stuck.ckpt --save-every 501');
    expect(code).toBe(0);
    expect(stdout.match(/^WARNING: The mean loss of the last 500 steps is (1\.0|0\.99)\d+/gm)).toHaveLength(
      1,
    );
  });

  test('a damaged checkpoint is refused, and the one before offered, which it can go on with', async () => {
    await begin('hurt.ckpt', 3);
    expect((await run('train', '--resume hurt.ckpt --save-every 1')).code).toBe(0);
    fs.truncateSync(at('hurt.ckpt'), 2000);
    const refused = await run('train', '--resume hurt.ckpt');
    expect(refused.code).toBe(1);
    const [, command] = /The checkpoint before it is whole \(step 2\).* with (--resume .+)\.$/m.exec(
      refused.stderr,
    )!;
    expect((await run('train', command)).code).toBe(0);
    expect(readCheckpointInfo(at('hurt.ckpt')).step).toBe(3);
  });

  test('a reader that goes away does not end the run', async () => {
    await begin('piped.ckpt', 6);
    const line = `'${process.execPath}' '${program('train')}' --resume piped.ckpt --save-every 1 | head -n 1`;
    const { stderr } = await runNode(
      ['-e', `require('child_process').execSync(${JSON.stringify(line)}, { stdio: 'inherit' })`],
      folder,
    );
    expect(stderr).not.toMatch(/EPIPE/);
    expect(readCheckpointInfo(at('piped.ckpt')).step).toBe(6);
  });
});

describe('sample', () => {
  const sample = (rest: string, ...more: any[]): Promise<Ended> =>
    run('sample', `--checkpoint tiny.ckpt ${rest}`, ...more);
  beforeAll(() => begin('tiny.ckpt', 1));

  test('writes the same images whatever the batch size, the count and the format', async () => {
    const ended = await Promise.all([
      sample('--count 7 --batch-size 3 --seed 5 --out seven.npy'),
      sample('--count 4 --batch-size 64 --seed 5 --out four.npy'),
    ]);
    ended.push(
      ...(await Promise.all([
        sample('--count 4 --batch-size 3 --seed 5 --out four.png --scale 1 --columns 3'),
        sample('--count 4 --batch-size 3 --seed 6 --out other.npy'),
      ])),
    );
    expect(ended.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(ended[0].stdout).toMatch(
      /^7 images from tiny \(0 training steps\), seed 5, ddpm, 20 network calls each, .*: seven\.npy$/m,
    );
    expect(ended[0].stderr).toMatch(/^sampling: 100 %, 60 of 60/m);

    const [seven, four, other] = ['seven.npy', 'four.npy', 'other.npy'].map((name) => readNpy(at(name)));
    expect(seven).toMatchObject({ dtype: 'uint8', shape: [7, 28, 28] });
    expect(four).toMatchObject({ dtype: 'uint8', shape: [4, 28, 28] });
    const pixels = Array.from(four.data as Uint8Array);
    expect(new Set(pixels).size).toBeGreaterThan(50);
    expect(Array.from(seven.data as Uint8Array).slice(0, 4 * 784)).toEqual(pixels);
    expect(Array.from(other.data as Uint8Array)).not.toEqual(pixels);

    const picture = readPng(at('four.png'));
    expect([picture.width, picture.height]).toEqual([2 + 3 * 30, 2 + 2 * 30]);
    for (let image = 0; image < 4; image++)
      for (let y = 0; y < 28; y++) {
        const start = (2 + Math.floor(image / 3) * 30 + y) * picture.width + 2 + (image % 3) * 30;
        expect(Array.from(picture.data.subarray(start, start + 28))).toEqual(
          pixels.slice((image * 28 + y) * 28, (image * 28 + y + 1) * 28),
        );
      }
  });

  test('makes fewer steps, with either sampler', async () => {
    const lines = [
      '--sampler ddim --steps 5 --eta 0 --spacing trailing --out a.npy',
      '--sampler ddim --steps 5 --out b.npy',
      '--sampler ddim --steps 5 --eta 1 --out c.npy',
      '--steps 5 --spacing quadratic --out d.npy',
    ];
    const ended = [
      ...(await Promise.all(lines.slice(0, 2).map((line) => sample(`--count 3 ${line}`)))),
      ...(await Promise.all(lines.slice(2).map((line) => sample(`--count 3 ${line}`)))),
    ];
    expect(ended.map(({ code, stderr }) => (code === 0 ? code : stderr))).toEqual([0, 0, 0, 0]);
    expect(ended[0].stdout).toMatch(/^3 images from tiny .*, ddim, 5 network calls each, .*: a\.npy$/m);
    expect(ended[3].stdout).toMatch(/, ddpm, 5 network calls each, /);
    expect(ended[0].stderr).toMatch(/^sampling: 100 %, 5 of 5/m);
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => String(readNpy(at(`${name}.npy`)).data));
    expect(b).toBe(a);
    expect(new Set([a, c, d]).size).toBe(3);
  });

  test('same seed, same bytes, and a file that exists is replaced', async () => {
    fs.writeFileSync(at('again.png'), 'old');
    const ended = await Promise.all(
      ['again.png', 'twice.png'].map((name) => sample(`--count 2 --out ${name}`)),
    );
    expect(ended.map(({ code }) => code)).toEqual([0, 0]);
    const [one, two] = ['again.png', 'twice.png'].map((name) => fs.readFileSync(at(name)));
    expect(one.equals(two)).toBe(true);
    expect(readPng(at('again.png')).width).toBe(2 + 2 * 58);
  });

  test.each(['long.npy', 'long.png'])('Ctrl-C leaves no part of %s, and no temporary file', async (name) => {
    await begin('long.ckpt', 1, 1000);
    const before = files();
    const { code, stdout, stderr } = await run(
      'sample',
      `--checkpoint long.ckpt --count 4 --batch-size 2 --out ${name}`,
      (output: string, kill: (signal: NodeJS.Signals) => void) => {
        if (output.includes('10 %') && !output.includes('stopped')) kill('SIGINT');
      },
    );
    expect({ code, stdout }).toEqual({ code: 130, stdout: 'stopped; nothing was written\n' });
    expect(stderr).not.toMatch(/rror/);
    expect(files()).toEqual(before);
  });

  test('the second Ctrl-C ends it at once, and leaves nothing either', async () => {
    await begin('long.ckpt', 1, 1000);
    const before = files();
    let sent = false;
    const line = '--checkpoint long.ckpt --count 2 --out twice.npy';
    const { code } = await run('sample', line, (output, kill) => {
      if (sent || !output.includes('10 %')) return;
      sent = true;
      for (const _ of [1, 2]) kill('SIGINT');
    });
    expect(code).toBe(130);
    expect(files()).toEqual(before);
  });

  test('a checkpoint that the program trained can be sampled and resumed here', async () => {
    await begin('here.ckpt', 2);
    expect((await run('train', '--resume here.ckpt')).code).toBe(0);
    const { state, info } = resumeTraining(at('here.ckpt'));
    expect(info.step).toBe(2);
    state.dispose();
    state.model.dispose();
  });
});
