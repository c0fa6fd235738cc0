/** `npm run sample` as its users meet it: compiled, in a process of its own. */
import * as fs from 'fs';
import { readNpy, readPng } from '../../lib/io';
import { resumeTraining } from '../../lib/training';
import { workplace } from '../helpers/cli';
import type { Ended } from '../helpers/tiny';

jest.setTimeout(180_000); // each program is a process of its own; a busy machine starts it slowly
const { at, files, run, begin } = workplace();

describe('sample', () => {
  const sample = (rest: string): Promise<Ended> => run('sample', `--checkpoint tiny.ckpt ${rest}`);
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
      (output, kill) => {
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
