/** The benchmark behind `npm run bench`. */
export { runBench, type BenchOptions } from './runBench';
export { markdown, type Bound, type Report, type Result } from './report';
export { cleanPeers } from './peers';
