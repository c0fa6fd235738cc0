/** `npm run sample`: draws images from a checkpoint and writes them as a PNG grid or a NumPy array. */
import { existsSync } from 'node:fs';
import { dirname, extname } from 'node:path';
import { Command } from 'commander';
import { toPixels } from '../datasets';
import { createSchedule } from '../diffusion';
import { createGenerator, tf } from '../engine';
import { openNpy, writePng } from '../io';
import { sample } from '../sampling';
import { loadModel } from '../training';
import { createProgress, formatDuration, imageGrid, previewRaster } from '../viz';
import { runMain, stopOnSignal, userPath, wholeNumber } from './common';

interface Flags {
  checkpoint: string;
  count: number;
  seed: number;
  out: string;
  batchSize: number;
  columns?: number;
  scale: number;
}

function parse(argv: string[]): Flags {
  return new Command('npm run sample --')
    .description('Draws images from a checkpoint that `npm run train` wrote.')
    .requiredOption('--checkpoint <file>', 'the checkpoint')
    .option('--count <n>', 'how many images', wholeNumber(1), 64)
    .option('--seed <n>', 'image i is the same for the same seed, whatever the count', wholeNumber(0), 0)
    .requiredOption('--out <file>', '.png: a picture of them all; .npy: a NumPy array, uint8 [count, 28, 28]')
    .option('--batch-size <n>', 'images at a time; does not change them', wholeNumber(1), 64)
    .option('--columns <n>', 'columns of the picture (default: about square)', wholeNumber(1))
    .option('--scale <n>', 'pixels of the picture for each pixel of an image', wholeNumber(1), 2)
    .showHelpAfterError('(--help shows all flags)')
    .parse(argv)
    .opts<Flags>();
}

async function main(): Promise<void> {
  const flags = parse(process.argv);
  const { count, batchSize } = flags;
  const out = userPath(flags.out);
  const kind = extname(out).toLowerCase();
  if (kind !== '.png' && kind !== '.npy') {
    throw new Error(`--out is ${flags.out}: its name must end in .png (a picture) or .npy (a NumPy array).`);
  }
  if (!existsSync(dirname(out))) throw new Error(`The folder of ${out} does not exist: make it first, or choose another --out.`);

  const { model, info } = loadModel(userPath(flags.checkpoint));
  const schedule = createSchedule(info.preset.schedule);
  const generator = createGenerator(flags.seed).fork('sample');
  const stop = stopOnSignal();
  const [height, width] = [28, 28];
  const progress = createProgress({ total: Math.ceil(count / batchSize) * schedule.T, label: 'sampling' });
  const begin = performance.now();
  const npy = kind === '.npy' ? openNpy(out, { dtype: 'uint8', shape: [count, height, width] }) : undefined;
  const pictures: Uint8Array[] = [];
  try {
    for (let done = 0; done < count; done += batchSize) {
      const images = await sample({
        denoiser: model.predict,
        schedule,
        generator,
        ...info.preset.sampling,
        shape: [Math.min(batchSize, count - done), height, width, 1],
        firstSample: done,
        stop,
        onStep: ({ nfe }) => progress.update((done / batchSize) * schedule.T + nfe),
      });
      const pixels = toPixels(images);
      tf.dispose(images);
      if (npy) npy.write(pixels);
      else pictures.push(pixels);
    }
    npy?.close();
  } catch (error) {
    npy?.abort();
    throw error;
  } finally {
    progress.end();
    model.dispose();
  }
  if (!npy) {
    const grid = imageGrid(
      { pixels: Buffer.concat(pictures), count, height, width, channels: 1 },
      { columns: flags.columns, scale: flags.scale },
    );
    writePng(out, grid);
    if (process.stdout.isTTY) console.log(previewRaster(grid, { columns: process.stdout.columns, color: true }));
  }
  console.log(
    `${count} images from ${info.preset.name} (${info.step} training steps), seed ${flags.seed}, ` +
      `${schedule.T} network calls each, ${formatDuration(performance.now() - begin)}: ${flags.out}`,
  );
}

void runMain(main);
