/** Bad schedules are refused with the value, its place and what to do. */
import {
  ScheduleConfig,
  constantSchedule,
  cosineSchedule,
  createSchedule,
  epsCoefficients,
  epsFromVCoefficients,
  epsMeanCoefficients,
  forwardCoefficients,
  linearSchedule,
  logSnrSchedule,
  posteriorCoefficients,
  priorBits,
  quadraticSchedule,
  scheduleFromBetas,
  scoreCoefficient,
  sigmoidSchedule,
  vFromEpsCoefficients,
  x0Coefficients,
  x0FromVCoefficients,
} from '../../lib/diffusion';

test.each([0, 1, -0.1, 1.5, NaN, Infinity])('a beta of %f is named with its index', (beta) => {
  expect(() => scheduleFromBetas([0.1, 0.2, beta])).toThrow(`betas[2] is ${beta}`);
});

test.each([0, -1, 2.5, NaN, Infinity, '300' as unknown as number])('T = %p is refused', (T) => {
  for (const family of [
    linearSchedule,
    cosineSchedule,
    quadraticSchedule,
    sigmoidSchedule,
    constantSchedule,
    logSnrSchedule,
  ])
    expect(() => family({ T })).toThrow(`T is ${T}`);
});

test('an empty list of betas is refused', () => expect(() => scheduleFromBetas([])).toThrow('T is 0'));

test('end values of a linear schedule outside (0, 1) are refused', () => {
  expect(() => linearSchedule({ T: 10, betaStart: 0 })).toThrow('betas[0] is 0');
  expect(() => linearSchedule({ T: 10, betaEnd: 1.2 })).toThrow(/betas\[\d\] is 1\./);
});

test('scaled betas that would reach 1 are refused with the smallest T that works', () => {
  for (const T of [1, 10, 20]) {
    expect(() => linearSchedule({ T, rescale: true })).toThrow(
      /betaEnd is 0\.02: .* every beta must be below 1\. Use T above 20, or rescale: false/,
    );
  }
  expect(linearSchedule({ T: 21, rescale: true }).betas[20]).toBeLessThan(1);
});

test('end values of the other families outside (0, 1) are refused', () => {
  for (const family of [quadraticSchedule, sigmoidSchedule]) {
    expect(() => family({ T: 10, betaStart: -0.1 })).toThrow(/betas\[\d\] is/);
    expect(() => family({ T: 10, betaEnd: 1.2 })).toThrow(/betas\[\d\] is/);
  }
  expect(() => constantSchedule({ T: 10, beta: 1 })).toThrow('betas[0] is 1');
});

test('ends of the log-SNR that do not fall, and a single step between them, are refused', () => {
  for (const ends of [{ logSnrStart: -6 }, { logSnrEnd: 20 }, { logSnrStart: Infinity }, { logSnrEnd: NaN }])
    expect(() => logSnrSchedule({ T: 10, ...ends })).toThrow(/logSnrStart is .* and logSnrEnd .*must fall/);
  expect(() => logSnrSchedule({ T: 1 })).toThrow(
    'T is 1: a schedule between two ends needs at least 2 steps',
  );
});

test('a config of an unknown kind, or with a list of another length, is refused', () => {
  expect(() => createSchedule({ kind: 'cubic', T: 3 } as unknown as ScheduleConfig)).toThrow(
    /Unknown schedule .*cubic.*'linear', 'cosine'/,
  );
  expect(() => createSchedule({ kind: 'custom', T: 3, betas: [0.1] })).toThrow(
    'T is 3 and betas has 1 values',
  );
});

test('options of the cosine schedule are checked', () => {
  expect(() => cosineSchedule({ maxBeta: 1 })).toThrow('maxBeta is 1');
  expect(() => cosineSchedule({ s: -0.1 })).toThrow('s is -0.1');
});

test('a schedule that destroys the image beyond float32 is refused', () => {
  expect(() => scheduleFromBetas(new Array(200).fill(0.9))).toThrow(/abar\[\d+\].*smaller betas/);
});

test.each([-1, 4, 0.5, NaN])('step %f of a four-step schedule is refused', (t) => {
  const schedule = scheduleFromBetas([0.1, 0.2, 0.3, 0.4]);
  for (const coefficients of [
    forwardCoefficients,
    posteriorCoefficients,
    epsMeanCoefficients,
    x0Coefficients,
    epsCoefficients,
    vFromEpsCoefficients,
    epsFromVCoefficients,
    x0FromVCoefficients,
    scoreCoefficient,
  ]) {
    expect(() => coefficients(schedule, t)).toThrow(`t is ${t}: a schedule with T = 4 has the steps 0..3`);
  }
});

test('statistics of the prior term are checked', () => {
  const schedule = linearSchedule();
  expect(() => priorBits(schedule, { meanSquare: -1 })).toThrow('meanSquare is -1');
  expect(() => priorBits(schedule, { dims: 0 })).toThrow('dims is 0');
});
