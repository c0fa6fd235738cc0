import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tf, TensorFlowError, threadCount } from '../../lib/engine';
import { EagerBinding } from '../../lib/engine/binding';
import { EagerContext } from '../../lib/engine/context';
import { chosenDevice } from '../../lib/engine/choice';
import { DataType } from '../../lib/engine/dtypes';
import { findRuntime, projectRoot } from '../../lib/engine/locate';

const binding = new EagerBinding(new EagerContext({ threads: 1, gpu: false }));
const T = { name: 'T', type: binding.TF_ATTR_TYPE, value: DataType.float32 };

describe('errors of TensorFlow', () => {
  test('name the op, its inputs and the reason', () => {
    const a = binding.createTensor([2, 3], DataType.float32, new Float32Array(6));
    const b = binding.createTensor([4, 5], DataType.float32, new Float32Array(20));
    let error: unknown;
    try {
      binding.executeOp('MatMul', [T], [a, b], 1);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(TensorFlowError);
    expect(error).toMatchObject({ code: 3, operation: 'MatMul', inputs: ['float32[2,3]', 'float32[4,5]'] });
    expect((error as Error).message).toMatch(
      /^MatMul: .*incompatible.*\(inputs: float32\[2,3\], float32\[4,5\]\)$/,
    );
    [a, b].forEach((id) => binding.deleteTensor(id));
  });

  test('the next op works', () => {
    const a = binding.createTensor([1], DataType.float32, [2]);
    expect(() => binding.executeOp('NoSuchOp', [], [a], 1)).toThrow(/^NoSuchOp: .*neither/);
    const [sum] = binding.executeOp('AddV2', [T], [a, a], 1);
    expect(Array.from(binding.tensorDataSync(sum.id))).toEqual([4]);
    [a, sum.id].forEach((id) => binding.deleteTensor(id));
  });

  test.each<[string, () => unknown]>([
    ['an unknown op', () => binding.executeOp('NoSuchOp', [], [], 1)],
    ['an input too few', () => withInput((id) => binding.executeOp('AddV2', [T], [id], 1))],
    ['an input too many', () => withInput((id) => binding.executeOp('Relu', [T], [id, id], 1))],
    [
      'an attribute of an unknown kind',
      () => withInput((id) => binding.executeOp('Relu', [{ ...T, type: 99 }], [id], 1)),
    ],
    [
      'a list of an unknown kind',
      () => binding.executeOp('Relu', [{ name: 'T', type: 99, value: [1] }], [], 1),
    ],
    ['room for no output', () => withInput((id) => binding.executeOp('Relu', [T], [id], 0))],
    ['a tensor that is gone', () => binding.executeOp('Relu', [T], [123456], 1)],
    ['values that do not fit', () => binding.createTensor([2, 2], DataType.float32, [1])],
    ['strings that do not fit', () => binding.createTensor([2], DataType.string, [Buffer.from('a')])],
    ['a type without storage', () => binding.createTensor([1], DataType.resource, [1])],
    ['a negative size', () => binding.createTensor([-1, -1], DataType.float32, [1])],
    ['a fractional size', () => binding.createTensor([0.5, 2], DataType.float32, [1])],
    ['deleting twice', () => withInput((id) => [binding.deleteTensor(id), binding.deleteTensor(id)])],
    ['reading what is gone', () => binding.tensorDataSync(123456)],
    ['a saved model', () => binding.loadSavedModel()],
  ])('%s throws, 200 times over, and keeps no handle', (_, call) => {
    for (let i = 0; i < 200; i++) expect(call).toThrow();
    expect(binding.getNumOfTensors()).toBe(0);
  });

  test('through tfjs: an index out of range, and no tensor is left', () => {
    const x = tf.tensor1d([1, 2, 3]);
    const indices = tf.tensor1d([3], 'int32');
    const before = tf.memory().numTensors;
    for (let i = 0; i < 20; i++) {
      expect(() => tf.gather(x, indices)).toThrow(
        'GatherV2: the index value 3 is not in [0, 2] (inputs: float32[3]',
      );
    }
    expect(tf.memory().numTensors).toBe(before);
    tf.dispose([x, indices]);
  });

  test('long strings are freed with their tensor', () => {
    const before = process.memoryUsage().rss;
    const bytes = Buffer.alloc(2 ** 20, 'x');
    for (let i = 0; i < 400; i++) binding.deleteTensor(binding.createTensor([1], DataType.string, [bytes]));
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 2 ** 20);
  });

  test('saved models say that they are not supported', () => {
    for (const call of [binding.loadSavedModel, binding.deleteSavedModel, binding.runSavedModel]) {
      expect(call).toThrow(/SavedModels are not supported/);
    }
    expect(binding.getNumOfSavedModels()).toBe(0);
  });
});

/** Calls with a new tensor, which is deleted whatever happens. */
function withInput(call: (id: number) => unknown): void {
  const id = binding.createTensor([2], DataType.float32, [1, 2]);
  try {
    call(id);
  } finally {
    try {
      binding.deleteTensor(id);
    } catch {
      // The call has deleted it.
    }
  }
}

describe('settings', () => {
  test('TSDIFFUSION_DEVICE', () => {
    expect(chosenDevice({})).toBe('auto');
    expect(chosenDevice({ TSDIFFUSION_DEVICE: 'cpu' })).toBe('cpu');
    expect(chosenDevice({ TSDIFFUSION_DEVICE: 'webgpu' })).toBe('webgpu');
    expect(() => chosenDevice({ TSDIFFUSION_DEVICE: 'tpu' })).toThrow(
      /TSDIFFUSION_DEVICE is "tpu": set it to cpu, gpu, webgpu or auto/,
    );
  });

  test.each(['0', '-1', '1.5', 'two', '99999'])('TSDIFFUSION_THREADS=%s', (value) => {
    expect(() => threadCount({ TSDIFFUSION_THREADS: value })).toThrow(
      /TSDIFFUSION_THREADS is ".*": give a whole number/,
    );
  });
});

describe('the runtime', () => {
  const description = {
    tensorflow: '2.21.0',
    variant: 'cpu',
    platform: `${process.platform}-${process.arch}`,
    libraries: 'libraries',
    framework: 'framework.so',
    cc: 'cc.so',
    headers: 'include',
  };
  let folder: string;
  const find = (text: string) => {
    writeFileSync(join(folder, 'runtime.json'), text);
    return findRuntime({ TSDIFFUSION_RUNTIME: folder });
  };

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tsdiffusion-runtime-'));
    mkdirSync(join(folder, 'libraries'));
    for (const name of ['framework.so', 'cc.so']) writeFileSync(join(folder, 'libraries', name), '');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('is described by runtime.json, with paths from its folder', () => {
    expect(find(JSON.stringify(description))).toEqual({
      tensorflow: '2.21.0',
      variant: 'cpu',
      platform: description.platform,
      framework: join(folder, 'libraries', 'framework.so'),
      cc: join(folder, 'libraries', 'cc.so'),
      headers: join(folder, 'include'),
    });
  });

  test.each<[string, string, RegExp]>([
    ['damaged', '{"tensorflow":', /runtime\.json is damaged .*npm run setup/],
    ['incomplete', JSON.stringify({ ...description, cc: undefined }), /has no "cc"\. Run `npm run setup`/],
    [
      'of an unknown variant',
      JSON.stringify({ ...description, variant: 'tpu' }),
      /"variant" is "tpu".*npm run setup/,
    ],
    [
      'of another machine',
      JSON.stringify({ ...description, platform: 'sunos-sparc' }),
      /is for sunos-sparc, this machine/,
    ],
    [
      'without its library',
      JSON.stringify({ ...description, cc: 'gone.so' }),
      /gone\.so is missing\. Run `npm run setup`/,
    ],
  ])('%s', (_, text, message) => {
    expect(() => find(text)).toThrow(message);
  });

  test('missing', () => {
    expect(() => findRuntime({ TSDIFFUSION_RUNTIME: folder })).toThrow(
      /no TensorFlow runtime in TSDIFFUSION_RUNTIME=.*npm run setup/,
    );
    writeFileSync(join(folder, 'package.json'), '{"name":"tsdiffusion-course"}');
    expect(() => findRuntime({}, join(folder, 'libraries'))).toThrow(
      /no TensorFlow runtime at .*runtime\.json\. Run `npm run setup`/,
    );
  });

  test('is looked for in the project that holds the engine, not in a package within it', () => {
    writeFileSync(join(folder, 'package.json'), '{"name":"tsdiffusion-course"}');
    writeFileSync(join(folder, 'libraries', 'package.json'), '{"name":"tsdiffusion"}');
    expect(projectRoot(join(folder, 'libraries'))).toBe(folder);
    expect(() => projectRoot(tmpdir())).toThrow(/TSDIFFUSION_RUNTIME/);
  });
});
