/** The work of `npm run sample`: draws images from a checkpoint, writes them as a PNG grid or a NumPy array. */
import { extname } from 'node:path';
import { toPixels } from '../datasets';
import type { Precision } from '../compile';
import { createSchedule } from '../diffusion';
import { createGenerator, ready } from '../engine';
import { openNpy, writePng } from '../io';
import { sample, timesteps, type Spacing } from '../sampling';
import { loadModel } from '../training';
import { createProgress, formatDuration, imageGrid, previewRaster } from '../viz';
import { checkWritable, shownPath, stopOnSignal, userPath } from './common';

export interface SampleFlags {
  checkpoint: string;
  count: number;
  seed: number;
  out: string;
  sampler: 'ddpm' | 'ddim';
  steps?: number;
  spacing: Spacing;
  eta?: number;
  eager?: boolean;
  precision?: Precision;
  batchSize: number;
  columns?: number;
  scale: number;
}

/** Side of the images. */
const SIDE = 28;

/** A picture of more pixels is more than viewers, and this program's memory, are made for. */
const LARGEST_PICTURE = 2 ** 28;

/** Where the images go, batch by batch; the file appears when `close` is called. */
interface Output {
  write(pixels: Uint8Array): void;
  close(): void;
  abort(): void;
}

function openOutput(out: string, { count, columns, scale }: SampleFlags): Output {
  if (extname(out).toLowerCase() === '.npy') {
    return openNpy(out, { dtype: 'uint8', shape: [count, SIDE, SIDE] });
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

/** Samples as the flags say. */
export async function runSampling(flags: SampleFlags): Promise<void> {
  const { count, batchSize, sampler, eta, eager, precision } = flags;
  if (eta !== undefined && sampler !== 'ddim') throw new Error('--eta belongs to --sampler ddim.');
  await ready();
  const { model, info } = loadModel(userPath(flags.checkpoint));
  const schedule = createSchedule(info.preset.schedule);
  const steps = flags.steps ?? schedule.T;
  if (steps > schedule.T) {
    throw new Error(
      `--steps is ${steps}, but ${info.preset.name} has ${schedule.T} steps of noise: ask for no more.`,
    );
  }
  const list = timesteps({ T: schedule.T, steps, spacing: flags.spacing });
  const out = userPath(flags.out);
  const output = openOutput(out, flags);
  process.once('exit', () => output.abort()); // also when a second Ctrl-C ends everything at once

  const generator = createGenerator(flags.seed).fork('sample');
  const stop = stopOnSignal();
  const progress = createProgress({ total: Math.ceil(count / batchSize) * steps, label: 'sampling' });
  const begin = performance.now();
  try {
    for (let done = 0; done < count; done += batchSize) {
      const images = await sample({
        denoiser: model.predict,
        schedule,
        generator,
        ...info.preset.sampling,
        sampler,
        eta,
        eager,
        precision,
        timesteps: list,
        shape: [Math.min(batchSize, count - done), SIDE, SIDE, 1],
        firstSample: done,
        stop,
        every: 10,
        onStep: ({ nfe }) => progress.update((done / batchSize) * steps + nfe),
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
      `${sampler}, ${steps} network calls each, ${formatDuration(performance.now() - begin)}: ${shownPath(out)}`,
  );
}
