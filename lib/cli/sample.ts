/** `npm run sample`: draws images from a checkpoint and writes them as a PNG grid or a NumPy array. */
import { extname } from 'node:path';
import { Command } from 'commander';
import { toPixels } from '../datasets';
import { createSchedule } from '../diffusion';
import { createGenerator } from '../engine';
import { openNpy, writePng } from '../io';
import { sample } from '../sampling';
import { loadModel } from '../training';
import { createProgress, formatDuration, imageGrid, previewRaster } from '../viz';
import { checkWritable, runMain, shownPath, stopOnSignal, userPath, wholeNumber } from './common';

interface Flags {
  checkpoint: string;
  count: number;
  seed: number;
  out: string;
  batchSize: number;
  columns?: number;
  scale: number;
}

/** Side of the images. */
const SIDE = 28;

/** A picture of more pixels is more than viewers, and this program's memory, are made for. */
const LARGEST_PICTURE = 2 ** 28;

const examples = `
Examples:
  npm run sample -- --checkpoint data/runs/small.safetensors --count 64 --seed 0 --out digits.png
  npm run sample -- --checkpoint data/runs/small.safetensors --count 10000 --out digits.npy`;

function parse(argv: string[]): Flags {
  return new Command('npm run sample --')
    .description('Draws images from a checkpoint that `npm run train` wrote.')
    .requiredOption('--checkpoint <file>', 'the checkpoint')
    .option('--count <n>', 'how many images', wholeNumber(1), 64)
    .option('--seed <n>', 'image i is the same for the same seed, whatever the count', wholeNumber(0), 0)
    .requiredOption('--out <file>', '.png: a picture of them all; .npy: a NumPy array, uint8 [count, 28, 28]')
    .option('--batch-size <n>', 'images at a time; does not change them', wholeNumber(1), 64)
    .option('--columns <n>', 'columns of the picture (default: about square)', wholeNumber(1))
    .option('--scale <n>', 'pixels of the picture for each pixel of an image', wholeNumber(1, 64), 2)
    .addHelpText('after', examples)
    .allowExcessArguments(false)
    .showHelpAfterError('(--help shows all flags)')
    .parse(argv)
    .opts<Flags>();
}

/** Where the images go, batch by batch; the file appears when `close` is called. */
interface Output {
  write(pixels: Uint8Array): void;
  close(): void;
  abort(): void;
}

function openOutput(out: string, { count, columns, scale }: Flags): Output {
  const kind = extname(out).toLowerCase();
  if (kind === '.npy') return openNpy(out, { dtype: 'uint8', shape: [count, SIDE, SIDE] });
  if (kind !== '.png') {
    throw new Error(`--out is ${shownPath(out)}: its name must end in .png (a picture) or .npy (a NumPy array).`);
  }
  const megapixels = (count * (SIDE * scale) ** 2) / 1e6;
  if (megapixels > LARGEST_PICTURE / 1e6) {
    throw new Error(
      `A picture of ${count} images would have ${Math.round(megapixels)} megapixels: ask for fewer, for a smaller --scale, or for a .npy file.`,
    );
  }
  checkWritable(out);
  const batches: Uint8Array[] = [];
  return {
    write: (pixels) => void batches.push(pixels),
    close: () => {
      const images = { pixels: Buffer.concat(batches), count, height: SIDE, width: SIDE };
      const grid = imageGrid(images, { columns, scale });
      writePng(out, grid);
      if (process.stdout.isTTY) {
        console.log(previewRaster(grid, { columns: process.stdout.columns, color: true }));
      }
    },
    abort: () => {},
  };
}

async function main(): Promise<void> {
  const flags = parse(process.argv);
  const { count, batchSize } = flags;
  const out = userPath(flags.out);
  const output = openOutput(out, flags);
  process.once('exit', () => output.abort()); // also when a second Ctrl-C ends everything at once

  const { model, info } = loadModel(userPath(flags.checkpoint));
  const schedule = createSchedule(info.preset.schedule);
  const generator = createGenerator(flags.seed).fork('sample');
  const stop = stopOnSignal();
  const progress = createProgress({ total: Math.ceil(count / batchSize) * schedule.T, label: 'sampling' });
  const begin = performance.now();
  try {
    for (let done = 0; done < count; done += batchSize) {
      const images = await sample({
        denoiser: model.predict,
        schedule,
        generator,
        ...info.preset.sampling,
        shape: [Math.min(batchSize, count - done), SIDE, SIDE, 1],
        firstSample: done,
        stop,
        onStep: ({ nfe }) => progress.update((done / batchSize) * schedule.T + nfe),
      });
      output.write(toPixels(images));
      images.dispose();
    }
  } catch (error) {
    if (!stop.stopped) throw error;
    progress.end();
    console.log('stopped; nothing was written');
    process.exitCode = 130;
    return;
  } finally {
    progress.end();
    model.dispose();
  }
  output.close();
  console.log(
    `${count} images from ${info.preset.name} (${info.step} training steps), seed ${flags.seed}, ` +
      `${schedule.T} network calls each, ${formatDuration(performance.now() - begin)}: ${shownPath(out)}`,
  );
}

void runMain(main);
