/** One oracle of every kind, with data about 1 in size. */
import { empiricalOracle, gaussianOracle, mixtureOracle, type Oracle } from '../../lib/oracle';

const long = [
  [0.5, 0.3],
  [0.3, 0.4],
];
const flat = [
  [0.36, 0.24],
  [0.24, 0.16],
];
const means = [
  [1, 0],
  [-1, 0.5],
  [0, -1],
];

export const oracles: [string, Oracle][] = [
  ['one number', gaussianOracle({ mean: 0.3, variance: 0.04 })],
  ['independent coordinates, one of them fixed', gaussianOracle({ mean: [1, -1, 0], variance: [0.5, 0, 2] })],
  ['any covariance', gaussianOracle({ mean: [1, -0.5], covariance: long })],
  ['a covariance without extent along one axis', gaussianOracle({ mean: [1, -0.5], covariance: flat })],
  ['a round mixture', mixtureOracle({ weights: [0.5, 0.3, 0.2], means, std: 0.3 })],
  ['a mixture of any covariances', mixtureOracle({ weights: [0.5, 0.3, 0.2], means, covariances: [long, flat, [[0.1, 0], [0, 0.9]]] })], // prettier-ignore
  ['a training set', empiricalOracle([...means, [0.5, 0.5], [0.4, 0.4]])],
];
