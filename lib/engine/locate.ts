import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

const PROJECT = 'tsdiffusion-course';
const REMEDY = 'Run `npm run setup` (or `npm start`) in the project folder: it installs TensorFlow.';

/** An unpacked TensorFlow, every path absolute. */
export interface Runtime {
  tensorflow: string;
  variant: 'cpu' | 'cuda';
  platform: string;
  /** libtensorflow_framework: loaded first, the other one needs its symbols. */
  framework: string;
  /** libtensorflow_cc: holds the C API. */
  cc: string;
  /** Folder that holds `tensorflow/c/c_api.h`. */
  headers: string;
}

/**
 * Finds the runtime that set-up has unpacked: in the folder `TSDIFFUSION_RUNTIME`, else in `.runtime` of the project.
 *
 * @throws when there is none, or its description is damaged.
 */
export function findRuntime(environment: NodeJS.ProcessEnv = process.env, from: string = __dirname): Runtime {
  const chosen = environment.TSDIFFUSION_RUNTIME;
  const folder = chosen ? resolve(chosen) : join(projectRoot(from), '.runtime');
  const file = join(folder, 'runtime.json');
  if (!existsSync(file)) {
    const where = chosen ? `in TSDIFFUSION_RUNTIME=${chosen}` : `at ${file}`;
    throw new Error(`There is no TensorFlow runtime ${where}. ${REMEDY}`);
  }
  return readRuntime(file);
}

/** The nearest folder above `from` whose package.json is the course's own. */
export function projectRoot(from: string): string {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    if (existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).name === PROJECT) return folder;
    if (folder === dirname(folder)) {
      throw new Error(
        `No folder above ${from} is the project ${PROJECT}. Set TSDIFFUSION_RUNTIME to the runtime's folder.`,
      );
    }
  }
}

function readRuntime(file: string): Runtime {
  const folder = dirname(file);
  let description: Record<string, unknown>;
  try {
    description = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Error(`${file} is damaged (${(error as Error).message}). ${REMEDY}`);
  }
  const text = (key: string): string => {
    const value = description[key];
    if (typeof value !== 'string' || value === '')
      throw new Error(`${file} is damaged: it has no "${key}". ${REMEDY}`);
    return value;
  };
  const variant = text('variant');
  if (variant !== 'cpu' && variant !== 'cuda') {
    throw new Error(`${file} is damaged: "variant" is "${variant}", not "cpu" or "cuda". ${REMEDY}`);
  }
  const libraries = join(folder, text('libraries'));
  const runtime: Runtime = {
    tensorflow: text('tensorflow'),
    variant,
    platform: text('platform'),
    framework: join(libraries, text('framework')),
    cc: join(libraries, text('cc')),
    headers: join(folder, text('headers')),
  };
  const here = `${process.platform}-${process.arch}`;
  if (runtime.platform !== here) {
    throw new Error(
      `The TensorFlow runtime in ${folder} is for ${runtime.platform}, this machine is ${here}. ${REMEDY}`,
    );
  }
  for (const library of [runtime.framework, runtime.cc]) {
    if (!existsSync(library)) throw new Error(`${library} is missing. ${REMEDY}`);
  }
  return runtime;
}
