/** `npm run likelihood` as its users meet it: compiled, in a process of its own. */
import { workplace } from '../helpers/cli';

jest.setTimeout(180_000); // each program is a process of its own; a busy machine starts it slowly
const { run, begin } = workplace();
beforeAll(() => begin('tiny.ckpt', 1));

const likelihood = (rest: string) => run('likelihood', `--checkpoint tiny.ckpt ${rest}`);

/** Bits per dimension by the name of the row. */
function bitsOf(stdout: string): Record<string, number> {
  const lines = [...stdout.matchAll(/^(bound.*?|probability flow) {2,}(\d+\.\d{4}) +(\d+\.\d{4})/gm)];
  return Object.fromEntries(lines.map(([, name, bits]) => [name, Number(bits)]));
}

test('prints the bound, its three parts that sum to it, and the flow; the same for the same seed', async () => {
  const flags = '--count 6 --draws 3 --solver-steps 4 --batch-size 4';
  const [one, again, other] = await Promise.all([
    likelihood(`${flags} --seed 2`),
    likelihood(`${flags} --seed 2`),
    likelihood(`${flags} --seed 3 --no-flow`),
  ]);
  expect([one.code, again.code, other.code]).toEqual([0, 0, 0]);
  expect(one.stdout).toContain('tiny (0 training steps), 6 MNIST test images, seed 2');
  const bits = bitsOf(one.stdout);
  expect(bitsOf(again.stdout)).toEqual(bits);
  const { bound, 'probability flow': flow, ...parts } = bits;
  expect(Object.keys(parts)).toHaveLength(3);
  const sum = Object.values(parts).reduce((a, b) => a + b, 0);
  expect(Math.abs(sum - bound)).toBeLessThan(2e-4);
  expect(flow).toBeGreaterThan(0);
  const others = bitsOf(other.stdout);
  expect(others['probability flow']).toBeUndefined();
  expect(others.bound).not.toBe(bound);
});

test('refuses what it could not do, before it begins', async () => {
  const ended = await Promise.all([
    likelihood('--count 10001'),
    likelihood('--count 4 --solver-steps 20'),
    run('likelihood', '--checkpoint none.ckpt'),
  ]);
  expect(ended.map(({ code }) => code)).not.toContain(0);
  expect(ended[0].stderr).toContain('whole number from 1 to 10000');
  expect(ended[1].stderr).toContain('--solver-steps is 20, but tiny has only 20 steps');
  expect(ended[2].stderr).toContain('none.ckpt');
});
