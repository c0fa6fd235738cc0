/** Training end to end: seeds, the loop, what it learns. */
import { loadMnist, toBatch } from '../../lib/datasets';
import { createSchedule, noiseMse, qSample, sampleTimesteps } from '../../lib/diffusion';
import { createGenerator, tf } from '../../lib/engine';
import { presets } from '../../lib/models';
import { createStopToken } from '../../lib/stop';
import { startRun, train } from '../../lib/training';
import { digits, losses, numbersOf, runNode, temporaryFolder, tinyPreset, tinyRun } from '../helpers/tiny';
import { expectNoLeaks } from '../helpers/leaks';

const folder = temporaryFolder();
const mean = (list: number[]): number => list.reduce((sum, x) => sum + x, 0) / list.length;

expectNoLeaks();

describe('a seed', () => {
  test('gives one run: the same losses, weights, moments and average; another seed another run', async () => {
    const [one, two, other] = [tinyRun(), tinyRun(), tinyRun({ seed: 2 })];
    const first = await losses(one);
    expect(first).toHaveLength(10);
    expect(await losses(two)).toEqual(first);
    expect(numbersOf(two.options.state)).toEqual(numbersOf(one.options.state));
    expect(await losses(other)).not.toEqual(first);
    for (const run of [one, two, other]) run.dispose();
  });

  test('gives two fresh processes the same losses and weights, bit for bit', async () => {
    const script = `
      const t = require('tsdiffusion');
      const dataset = t.sliceDataset(t.loadMnist().train, 'train', 0, 14);
      const run = t.startRun({ preset: ${JSON.stringify(tinyPreset())}, dataset, seed: 1, steps: 6 });
      (async () => {
        const losses = [];
        for await (const { loss } of t.train(run.options)) losses.push(loss);
        const ema = run.options.state.ema.packed.dataSync();
        console.log(JSON.stringify({ losses, ema: Buffer.from(ema.buffer).toString('base64') }));
      })();`;
    const [one, two] = await Promise.all([0, 1].map(() => runNode(['-e', script], folder)));
    expect(one).toMatchObject({ code: 0, stderr: '' });
    const parsed = JSON.parse(one.stdout) as { losses: number[]; ema: string };
    expect(parsed.losses).toHaveLength(6);
    expect(two.stdout).toBe(one.stdout);
    // And the same as in this process, where jest has compiled the library on its own.
    const run = tinyRun({ steps: 6 });
    expect(await losses(run)).toEqual(parsed.losses);
    run.dispose();
  });
});

describe('the loop', () => {
  test('ends between two steps when it is told to, and its state goes on as if it had not been', async () => {
    const [whole, stopped] = [tinyRun(), tinyRun()];
    const expected = await losses(whole);
    const stop = createStopToken();
    const first: number[] = [];
    for await (const { step, loss } of train({ ...stopped.options, stop })) {
      first.push(loss);
      if (step === 3) stop.stop();
    }
    expect(numbersOf(stopped.options.state).steps).toEqual([3, 3, 3]);
    expect(await losses(stopped, undefined, stop)).toEqual([]);
    expect([...first, ...(await losses(stopped))]).toEqual(expected);
    expect(numbersOf(stopped.options.state)).toEqual(numbersOf(whole.options.state));
    for (const run of [whole, stopped]) run.dispose();
  });

  test('may be left by break, and follows a token that a timer stops', async () => {
    const run = tinyRun({ steps: 1000 });
    for await (const { step } of train(run.options)) if (step === 2) break;
    expect(run.options.state.step).toBe(2);
    const stop = createStopToken();
    setTimeout(() => stop.stop(), 1);
    await losses(run, undefined, stop);
    expect(run.options.state.step).toBeLessThan(1000);
    run.dispose();
  });

  test('gives the event loop its turn in every step', async () => {
    const run = tinyRun({ steps: 8 });
    let turns = 0;
    let running = true;
    const tick = (): void => {
      turns++;
      if (running) setImmediate(tick);
    };
    setImmediate(tick);
    const seen: number[] = [];
    for await (const _ of train(run.options)) seen.push(turns);
    running = false;
    await new Promise(setImmediate);
    expect(seen).toHaveLength(8);
    seen.slice(1).forEach((count, i) => expect(count).toBeGreaterThan(seen[i]));
    run.dispose();
  });

  test('says what it did: step, epoch, learning rate', async () => {
    const run = startRun({ preset: tinyPreset(), dataset: digits(), seed: 0, epochs: 7 });
    expect(run.info.totalSteps).toBe(21);
    const said = [];
    for await (const step of train(run.options)) said.push(step);
    expect(said.map(({ step }) => step)).toEqual(Array.from({ length: 21 }, (_, i) => i + 1));
    expect(said.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 21 }, (_, i) => Math.floor(i / 3)));
    expect(said[0].learningRate).toBeCloseTo(1.5e-3, 12); // 2 of 21 steps are warm-up
    expect(said[1].learningRate).toBeCloseTo(3e-3, 12);
    expect(said[20].learningRate).toBeLessThan(3e-5);
    run.dispose();
  });

  test('begins at the loss of a network that predicts nothing, which is 1', async () => {
    const run = tinyRun({ preset: tinyPreset({ training: { batchSize: 14 } }), steps: 1 });
    const [first] = await losses(run);
    expect(Math.abs(first - 1)).toBeLessThan(0.06); // 5 standard errors of 14 x 784 squares
    run.dispose();
  });

  test('leaves its schedule as it was', async () => {
    const run = tinyRun({ steps: 100 });
    await losses(run);
    expect(run.options.schedule).toEqual(createSchedule(tinyPreset().schedule));
    run.dispose();
  });

  test('keeps no tensor in 200 steps, and no memory', async () => {
    const run = tinyRun({ steps: 260 });
    const tensors = new Set<number>();
    let early = 0;
    for await (const { step } of train(run.options)) {
      tensors.add(tf.memory().numTensors);
      if (step === 60) early = process.memoryUsage().rss;
    }
    expect(tensors.size).toBe(1);
    // A leaked activation alone would be 0.1 MB a step, a leaked step some 5 MB.
    expect((process.memoryUsage().rss - early) / 2 ** 20).toBeLessThan(60);
    run.dispose();
  });
});

test('two networks in one process train on their own', async () => {
  const alone = tinyRun();
  const expected = await losses(alone);
  const [one, two] = [tinyRun(), tinyRun({ seed: 2 })];
  const [a, b] = [train(one.options), train(two.options)];
  const seen: number[] = [];
  for (let step = 0; step < 10; step++) {
    seen.push(((await a.next()).value as { loss: number }).loss);
    await b.next();
  }
  expect(seen).toEqual(expected);
  for (const run of [alone, one, two]) run.dispose();
});

test('a U-Net of 35,000 parameters learns MNIST: below the 0.2 of the best linear denoiser in 80 steps', async () => {
  const { train: dataset, validation } = loadMnist();
  const preset = {
    ...presets.small,
    schedule: { kind: 'linear', T: 200, betaStart: 5e-4, betaEnd: 0.1 } as const,
    model: { kind: 'unet', channels: [8, 16], blocks: [1, 1] } as const,
    training: { ...tinyPreset().training, batchSize: 32 },
  };
  const run = startRun({ preset: JSON.parse(JSON.stringify(preset)), dataset, seed: 0, steps: 80 });
  const list = await losses(run);
  expect(mean(list.slice(0, 3))).toBeGreaterThan(0.8);
  // Measured: 0.09 with seeds 0 and 1. Always predicting 0 gives 1.
  expect(mean(list.slice(-20))).toBeLessThan(0.14);

  // It has learned and not memorised: digits that it has not seen are denoised as well.
  const { model } = run.options.state;
  const heldLoss = tf.tidy(() => {
    const generator = createGenerator(0);
    const x0 = toBatch(
      validation,
      Array.from({ length: 128 }, (_, i) => i),
    );
    const t = sampleTimesteps({ generator, batchSize: 128, T: 200 });
    const eps = generator.normal(x0.shape);
    const xt = qSample({ schedule: run.options.schedule, x0, t, eps }) as tf.Tensor4D;
    return noiseMse(eps, model.predict(xt, t)).dataSync()[0];
  });
  expect(heldLoss).toBeLessThan(0.14);
  run.dispose();
});
