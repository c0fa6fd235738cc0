/** The conversions between x_0, eps, v and the score: round trips, closed forms, and a distribution whose score is known. */
import fc from 'fast-check';
import { tf } from '../../lib/engine';
import {
  Schedule,
  cosineSchedule,
  epsFromScore,
  epsFromV,
  epsFromVCoefficients,
  forwardCoefficients,
  linearSchedule,
  predictX0,
  qSample,
  scheduleFromBetas,
  scoreCoefficient,
  scoreFromEps,
  vFromEps,
  vFromEpsCoefficients,
  x0FromScore,
  x0FromV,
  x0FromVCoefficients,
} from '../../lib/diffusion';
import { expectNoLeaks } from '../helpers/leaks';

const toy = scheduleFromBetas([0.1, 0.2, 0.3, 0.4], 'toy');
const betas = fc.array(fc.double({ min: 1e-4, max: 0.6, noNaN: true }), { minLength: 1, maxLength: 30 });
const value = fc.double({ min: -3, max: 3, noNaN: true });

/** Noises one number at every step of a schedule, in float64. */
function atEveryStep(schedule: Schedule, x0: number, eps: number, check: (t: number, xt: number) => void) {
  for (let t = 0; t < schedule.T; t++) {
    const forward = forwardCoefficients(schedule, t);
    check(t, forward.x0 * x0 + forward.eps * eps);
  }
}

describe('in float64, for any betas, x_0 and eps', () => {
  const property = (
    seed: number,
    check: (s: Schedule, t: number, xt: number, x0: number, eps: number) => void,
  ) =>
    fc.assert(
      fc.property(betas, value, value, (list, x0, eps) => {
        const schedule = scheduleFromBetas(list);
        atEveryStep(schedule, x0, eps, (t, xt) => check(schedule, t, xt, x0, eps));
      }),
      { seed, numRuns: 50 },
    );

  test('v from x_t and eps is sqrt(abar) eps - sqrt(1 - abar) x_0', () =>
    property(5, (s, t, xt, x0, eps) => {
      const c = vFromEpsCoefficients(s, t);
      const v = Math.sqrt(s.abar[t]) * eps - Math.sqrt(s.oneMinusAbar[t]) * x0;
      expect((c.xt * xt + c.eps * eps - v) * Math.sqrt(s.abar[t])).toBeCloseTo(0, 12);
    }));

  test('v gives both eps and x_0 back without a division', () =>
    property(6, (s, t, xt, x0, eps) => {
      const v = Math.sqrt(s.abar[t]) * eps - Math.sqrt(s.oneMinusAbar[t]) * x0;
      const [toEps, toX0] = [epsFromVCoefficients(s, t), x0FromVCoefficients(s, t)];
      expect(toEps.xt * xt + toEps.v * v).toBeCloseTo(eps, 12);
      expect(toX0.xt * xt + toX0.v * v).toBeCloseTo(x0, 12);
    }));

  test('(x_t, v) is (x_0, eps) turned by an angle: lengths are kept', () =>
    property(7, (s, t, xt, x0, eps) => {
      const v = Math.sqrt(s.abar[t]) * eps - Math.sqrt(s.oneMinusAbar[t]) * x0;
      expect(xt ** 2 + v ** 2).toBeCloseTo(x0 ** 2 + eps ** 2, 11);
    }));

  test('the score is the slope of log q(x_t | x_0)', () =>
    property(8, (s, t, xt, x0, eps) => {
      const slope = -(xt - Math.sqrt(s.abar[t]) * x0) / s.oneMinusAbar[t];
      expect((scoreCoefficient(s, t) * eps - slope) * s.oneMinusAbar[t]).toBeCloseTo(0, 12);
    }));
});

test('v of the toy schedule by hand: t = 3, x_0 = 1, eps = -1', () => {
  const xt = Math.sqrt(0.3024) - Math.sqrt(0.6976);
  const c = vFromEpsCoefficients(toy, 3);
  expect(c.xt * xt - c.eps).toBeCloseTo(-(Math.sqrt(0.3024) + Math.sqrt(0.6976)), 14);
  expect(scoreCoefficient(toy, 3)).toBeCloseTo(-1.197283, 6);
});

/** x_0 ~ N(m, s^2): E[eps | x_t] and the score of the marginal N(sqrt(abar) m, abar s^2 + 1 - abar) are both known. */
test('the best eps of Gaussian data is the score of the marginal', () => {
  const [m, s] = [0.4, 0.3];
  for (const schedule of [toy, linearSchedule(), cosineSchedule({ T: 50 })]) {
    for (const t of [0, 1, schedule.T >> 1, schedule.T - 1]) {
      const [abar, noise] = [schedule.abar[t], schedule.oneMinusAbar[t]];
      const [mean, variance] = [Math.sqrt(abar) * m, abar * s ** 2 + noise];
      const logDensity = (x: number) => -((x - mean) ** 2) / (2 * variance);
      for (const x of [-1, 0.2, 2]) {
        const bestEps = (Math.sqrt(noise) * (x - mean)) / variance;
        const slope = (logDensity(x + 1e-4) - logDensity(x - 1e-4)) / 2e-4;
        expect(Math.abs(scoreCoefficient(schedule, t) * bestEps - slope)).toBeLessThan(
          1e-6 * (1 + Math.abs(slope)),
        );
      }
    }
  }
});

describe('on tensors, each sample at its own step', () => {
  expectNoLeaks();
  const schedule = cosineSchedule();
  const t = [0, 1, 250, 500, 990];
  const x0 = [-1, -0.5, 0.1, 0.7, 1];
  const eps = [0.4, -1.2, 2, -0.3, 0.9];
  type Batch = {
    schedule: Schedule;
    t: tf.Tensor1D;
    x0: tf.Tensor;
    eps: tf.Tensor;
    xt: tf.Tensor;
    v: tf.Tensor;
  };
  const vOf = (i: number) =>
    Math.sqrt(schedule.abar[t[i]]) * eps[i] - Math.sqrt(schedule.oneMinusAbar[t[i]]) * x0[i];

  /** Runs f on the numbers above as batches of the given shape; insists on one new tensor, shaped as its inputs. */
  function run(shape: number[], f: (batch: Batch) => tf.Tensor): number[] {
    return tf.tidy(() => {
      const batch = (numbers: number[]) => tf.tensor(numbers, shape);
      const inputs = { schedule, t: tf.tensor1d(t, 'int32'), x0: batch(x0), eps: batch(eps) };
      const all = { ...inputs, xt: qSample(inputs), v: batch(t.map((_, i) => vOf(i))) };
      const count = tf.memory().numTensors;
      const output = f(all);
      expect(tf.memory().numTensors).toBe(count + 1);
      expect(output.shape).toEqual(shape);
      return Array.from(output.dataSync());
    });
  }

  describe.each([[[5, 1, 1, 1]], [[5, 1]]])('of shape %j', (shape) => {
    test.each<[string, (b: Batch) => tf.Tensor, (i: number) => number, (i: number) => number]>([
      ['vFromEps', vFromEps, vOf, (i) => 1 / Math.sqrt(schedule.abar[t[i]])],
      ['epsFromV', epsFromV, (i) => eps[i], () => 1],
      ['x0FromV', x0FromV, (i) => x0[i], () => 1],
      ['scoreFromEps', scoreFromEps, (i) => scoreCoefficient(schedule, t[i]) * eps[i], (i) => -scoreCoefficient(schedule, t[i])], // prettier-ignore
      ['epsFromScore of scoreFromEps', (b) => tf.tidy(() => epsFromScore({ ...b, score: scoreFromEps(b) })), (i) => eps[i], () => 1], // prettier-ignore
      ['x0FromScore of scoreFromEps', (b) => tf.tidy(() => x0FromScore({ ...b, score: scoreFromEps(b) })), (i) => x0[i], (i) => 1 / Math.sqrt(schedule.abar[t[i]])], // prettier-ignore
      ['x0FromV of vFromEps', (b) => tf.tidy(() => x0FromV({ ...b, v: vFromEps(b) })), (i) => x0[i], (i) => 1 / Math.sqrt(schedule.abar[t[i]])], // prettier-ignore
      ['predictX0 of epsFromV', (b) => tf.tidy(() => predictX0({ ...b, eps: epsFromV(b) })), (i) => x0[i], (i) => 1 / Math.sqrt(schedule.abar[t[i]])], // prettier-ignore
    ])('%s', (_, convert, expected, amplification) => {
      run(shape, convert).forEach((got, i) => {
        expect(Math.abs(got - expected(i))).toBeLessThan(2e-6 * Math.max(1, amplification(i)));
      });
    });
  });

  test.each<[string, (b: Batch, bad: tf.Tensor) => tf.Tensor, string]>([
    ['vFromEps', (b, bad) => vFromEps({ ...b, eps: bad }), 'eps has shape [5]'],
    ['epsFromV', (b, bad) => epsFromV({ ...b, v: bad }), 'v has shape [5]'],
    ['x0FromV', (b, bad) => x0FromV({ ...b, v: bad }), 'v has shape [5]'],
    ['x0FromScore', (b, bad) => x0FromScore({ ...b, score: bad }), 'score has shape [5]'],
  ])('%s refuses a target of another shape', (_, convert, message) => {
    expect(() => run([5, 1], (b) => convert(b, b.eps.reshape([5])))).toThrow(message);
  });

  test('the score needs one step for each sample', () => {
    expect(() => run([5, 1], (b) => scoreFromEps({ ...b, t: b.t.slice([0], [2]) }))).toThrow(
      't must hold one step for each sample',
    );
  });
});
