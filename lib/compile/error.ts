/** Frames of a stack that are TensorFlow.js's, ours, or of no file. */
const INNER =
  /[\\/]tfjs[\w-]*[\\/](?:src|dist|node_modules)[\\/]|[\\/](?:compile|engine)[\\/]\w+\.[jt]s:|<anonymous>\)?$|node:/;

/** The line of the caller's code that led here. */
function placeOfCaller(): string | undefined {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 100; // between a caller and an op lie many frames
  const stack = new Error().stack ?? '';
  Error.stackTraceLimit = limit;
  return stack
    .split('\n')
    .find((line) => /^\s+at /.test(line) && !INNER.test(line))
    ?.trim();
}

/** A function cannot be turned into a TensorFlow function; says what stands in the way, and where. */
export class RecordingError extends Error {
  constructor(reason: string) {
    const place = placeOfCaller();
    super(`This function cannot be compiled: ${reason}${place ? ` (${place})` : ''}.`);
    this.name = 'RecordingError';
  }
}
