import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { batches, classCounts, loadMnist, toBatch } from '../../lib/datasets';
import { createGenerator, tf } from '../../lib/engine';
import { readPng, writePng } from '../../lib/io';
import { imageGrid } from '../../lib/viz';

const { train, test: held } = loadMnist();

test('an epoch brings each training picture once, with its own label, and no tensor stays', () => {
  const before = tf.memory().numTensors;
  const labels: number[] = [];
  const seen = new Set<number>();
  let steps = 0;
  for (const indices of batches(train, { batchSize: 500, generator: createGenerator(0), epoch: 0 })) {
    for (const index of indices) {
      seen.add(index);
      labels.push(train.labels[index]!);
    }
    if (steps++ % 10 === 0) {
      const x = toBatch(train, indices);
      expect(x.shape).toEqual([500, 28, 28, 1]);
      tf.tidy(() => expect([x.min().dataSync()[0], x.max().dataSync()[0]]).toEqual([-1, 1]));
      x.dispose();
      expect(tf.memory().numTensors).toBe(before);
    }
  }
  expect([steps, seen.size]).toEqual([110, 55000]);
  const counts = new Array(10).fill(0);
  for (const label of labels) counts[label]++;
  expect(counts).toEqual(classCounts(train));
});

test('digits go through tensor, grid and PNG file without a changed pixel', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'mnist-'));
  const file = path.join(folder, 'digits.png');
  const x = toBatch(held, [0, 1, 2, 3]);
  writePng(file, imageGrid(x, { scale: 1, gap: 0 }));
  x.dispose();
  const { width, height, data } = readPng(file);
  fs.rmSync(folder, { recursive: true });
  expect([width, height]).toEqual([56, 56]);
  for (let image = 0; image < 4; image++)
    for (let y = 0; y < 28; y++) {
      const at = ((image >> 1) * 28 + y) * 56 + (image & 1) * 28;
      const row = held.images.subarray((image * 28 + y) * 28, (image * 28 + y + 1) * 28);
      expect(Array.from(data.subarray(at, at + 28))).toEqual(Array.from(row));
    }
});
