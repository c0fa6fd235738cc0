/** Measuring fairly: all contenders in turn, round after round, so that what disturbs the machine disturbs them all. */
import type { Contender } from './contenders';
import { takesPart } from './contenders';
import type { Planned } from './plan';
import type { Child } from './protocol';
import { median, summarise, type Measurement } from './statistics';

/** A contender and the process that runs it. */
export interface Entrant {
  contender: Contender;
  child: Pick<Child, 'ask'>;
}

export interface MeasureOptions {
  planned: Planned;
  entrants: readonly Entrant[];
  /** Weights and outputs that peers must reproduce first. */
  reference?: string;
  /** Most rounds. */
  rounds?: number;
  /** When to end, in milliseconds of `performance.now()`: from then on no round begins but the first. */
  deadline?: number;
  /** Told what is going on. */
  onProgress?: (text: string) => void;
}

/** The largest difference of outputs that is taken for rounding. */
const TOLERANCE = 1e-4;
/** A round of one contender lasts about so long. */
const ROUND_MS = 400;

async function prepare(
  { planned, reference }: MeasureOptions,
  { contender, child }: Entrant,
): Promise<string> {
  const { id, workload } = planned;
  const compared = contender.family === 'torch' ? { reference } : {};
  const key = `${id} ${contender.id}`;
  const ask = { id: key, workload, variant: contender.variant, ...compared };
  const { note, difference } = await child.ask('prepare', ask);
  if (difference !== null && !(difference < TOLERANCE)) {
    throw new Error(
      `${contender.label} computes another network: its outputs differ by ${difference} on ${planned.label}.`,
    );
  }
  return note;
}

/** Measures one workload. Returns what was measured, in the order of the entrants. @throws when outputs differ. */
export async function measure(options: MeasureOptions): Promise<Measurement[]> {
  const { planned, rounds: most = 15, deadline = Infinity, onProgress = () => {} } = options;
  const { id, label, workload, seconds, fewest, only = () => true } = planned;
  const entrants = options.entrants.filter(
    ({ contender }) => takesPart(contender, workload) && only(contender),
  );
  const run = async ({ contender, child }: Entrant, iterations: number): Promise<number> => {
    const ask = { id: `${id} ${contender.id}`, iterations };
    return median((await child.ask('run', ask)).milliseconds);
  };

  const states: { entrant: Entrant; note: string; iterations: number; rounds: number[] }[] = [];
  let duration = 0;
  for (const entrant of entrants) {
    onProgress(`${label}: ${entrant.contender.label} gets ready`);
    const note = await prepare(options, entrant);
    const begin = performance.now();
    const time = await run(entrant, 1);
    const first = performance.now() - begin;
    const iterations = Math.max(1, Math.min(50, Math.round(ROUND_MS / first)));
    duration += first * iterations;
    // A whole sample takes so long that its first one counts.
    states.push({ entrant, note, iterations, rounds: workload.kind === 'sample' ? [time] : [] });
  }
  const rounds = Math.max(fewest, Math.min(most, Math.floor((seconds * 1000) / duration)));
  for (let round = states[0]?.rounds.length ?? 0; round < rounds; round++) {
    if (round > 0 && performance.now() > deadline) break;
    onProgress(`${label}: round ${round + 1} of ${rounds}`);
    // Each time another one begins, so that nobody always comes after the same.
    for (let i = 0; i < states.length; i++) {
      const state = states[(i + round) % states.length];
      state.rounds.push(await run(state.entrant, state.iterations));
    }
  }
  for (const { entrant } of states)
    await entrant.child.ask('release', { id: `${id} ${entrant.contender.id}` });
  return states.map(({ entrant: { contender }, note, rounds }) => {
    const { id: name, label: called, family, precision } = contender;
    const measured = { contender: name, label: called, family, precision, rounds, ...summarise(rounds) };
    return note ? { ...measured, note } : measured;
  });
}
