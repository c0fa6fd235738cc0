import { assertStep, type Schedule } from '../diffusion';
import type { Cloud } from './clouds';
import { denoiserOf } from './denoiser';
import type { Oracle } from './oracle';
import { valuesOf } from './values';

/** Throws unless x has as many coordinates as the data. */
export function checkPoint(name: string, x: ArrayLike<number>, dims: number): void {
  if (x.length !== dims) {
    throw new Error(
      `${name} has ${x.length} coordinates, but the oracle's data have ${dims}: give that many.`,
    );
  }
}

/** The oracle of a sum of clouds. */
export function fromClouds(clouds: readonly Cloud[]): Oracle {
  const dims = clouds[0].mean.length;
  return {
    dims,
    at: ({ schedule, xt, t }) => {
      assertStep(schedule, t);
      checkPoint('xt', xt, dims);
      return valuesOf(clouds, { abar: schedule.abar[t], oneMinusAbar: schedule.oneMinusAbar[t] }, xt);
    },
    denoiser: (schedule: Schedule) => denoiserOf(clouds, schedule),
  };
}
