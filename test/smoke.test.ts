import { tf } from '../lib/engine';
test('adds', () => { expect(Array.from(tf.tensor([1,2]).add(1).dataSync())).toEqual([2,3]); });
