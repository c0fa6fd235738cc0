import { tf } from '../../lib/engine';

/** Makes every test of the file (or of the `describe`) fail that leaves a tensor behind, or frees one too many. */
export function expectNoLeaks(): void {
  let before = 0;
  beforeEach(() => {
    before = tf.memory().numTensors;
  });
  afterEach(() => {
    expect(tf.memory().numTensors).toBe(before);
  });
}
