/** The stock addon of TensorFlow.js, which this project does without: measured where the user has it. */

/** The file of `@tensorflow/tfjs-node` as the user's working folder sees it; undefined if it cannot be loaded. */
export function resolveStock(folder = process.env.INIT_CWD ?? process.cwd()): string | undefined {
  try {
    return require.resolve('@tensorflow/tfjs-node', { paths: [folder] });
  } catch {
    return undefined;
  }
}
