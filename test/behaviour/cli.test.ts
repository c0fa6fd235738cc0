/** `npm run train` as its users meet it: compiled, in a process of its own; and the help of both programs. */
import * as fs from 'fs';
import { presets } from '../../lib/models';
import { loadModel, readCheckpointInfo, saveCheckpoint } from '../../lib/training';
import { workplace } from '../helpers/cli';
import { program, runNode, tinyPreset, tinyRun } from '../helpers/tiny';

jest.setTimeout(180_000); // each program is a process of its own; a busy machine starts it slowly
const { folder, at, files, run, begin } = workplace();

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
