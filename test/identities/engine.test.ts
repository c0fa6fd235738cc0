import { createGenerator, device, memoryLimit, tf, threadCount } from '../../lib/engine';
import { EagerBinding } from '../../lib/engine/binding';
import { deviceOf, EagerContext, encodeConfig } from '../../lib/engine/context';
import { gpuLines, whyUnlisted, whyUnusable } from '../../lib/engine/device';
import { DataType } from '../../lib/engine/dtypes';
import { parseCfsQuota, parseCgroupPath, parseCpuMax, parseMemoryLimit } from '../../lib/engine/limits';
import { createHandle } from '../../lib/engine/tensors';
import { api } from '../../lib/engine/libtensorflow';

const context = new EagerContext({ threads: 1, gpu: false });
const binding = new EagerBinding(context);
const type = (value: number) => ({ name: 'T', type: binding.TF_ATTR_TYPE, value });

describe('values cross the border and come back', () => {
  test.each<[string, number, number[], ArrayLike<number | bigint | boolean>, (number | bigint)[]]>([
    ['float32', DataType.float32, [2, 2], Float32Array.of(1.5, -0, NaN, Infinity), [1.5, -0, NaN, Infinity]],
    ['float64', DataType.float64, [2], Float64Array.of(0.1, 1e300), [0.1, 1e300]],
    ['int32', DataType.int32, [3], Int32Array.of(1, -2, 2 ** 31 - 1), [1, -2, 2 ** 31 - 1]],
    ['int32 from plain numbers', DataType.int32, [2], [7, -7], [7, -7]],
    ['uint8', DataType.uint8, [2], Uint8Array.of(0, 255), [0, 255]],
    ['bool', DataType.bool, [2], Uint8Array.of(1, 0), [1, 0]],
    ['bool from booleans', DataType.bool, [2], [true, false], [1, 0]],
    ['complex64', DataType.complex64, [2], Float32Array.of(1, 2, 3, 4), [1, 2, 3, 4]],
    ['int64', DataType.int64, [2], BigInt64Array.of(-1n, 2n ** 62n), [-1n, 2n ** 62n]],
    ['int64 from int32', DataType.int64, [2], Int32Array.of(5, -5), [5n, -5n]],
    ['int64 from halves', DataType.int64, [], Int32Array.of(-1, -1), [-1n]],
    ['uint64', DataType.uint64, [1], BigUint64Array.of(2n ** 64n - 1n), [2n ** 64n - 1n]],
    ['bfloat16 bits', DataType.bfloat16, [1], Uint16Array.of(0x3f80), [0x3f80]],
    ['a scalar', DataType.float32, [], Float32Array.of(3), [3]],
    ['an empty tensor', DataType.float32, [0, 3], new Float32Array(0), []],
  ])('%s', (_, dtype, shape, values, expected) => {
    const id = binding.createTensor(shape, dtype, values);
    expect(Array.from(binding.tensorDataSync(id) as ArrayLike<unknown>)).toEqual(expected);
    const [copy] = binding.executeOp('Identity', [type(dtype)], [id], 1);
    expect(copy).toMatchObject({ shape, dtype });
    [id, copy.id].forEach((each) => binding.deleteTensor(each));
    expect(binding.getNumOfTensors()).toBe(0);
  });

  test('strings, short, long, empty and with zero bytes', () => {
    const words = ['', 'a', 'ü€😀', 'x\0y', 'long '.repeat(100)];
    const id = binding.createTensor(
      [5],
      DataType.string,
      words.map((word) => Buffer.from(word)),
    );
    const read = binding.tensorDataSync(id) as unknown as Uint8Array[];
    expect(read.map((bytes) => Buffer.from(bytes).toString())).toEqual(words);
    binding.deleteTensor(id);
    expect(tf.tensor1d(words).dataSync()).toEqual(words);
  });

  test('what is read is a copy, and what was written stays when its array changes', () => {
    const values = Float32Array.of(1, 2);
    const id = binding.createTensor([2], DataType.float32, values);
    values[0] = 9;
    (binding.tensorDataSync(id) as Float32Array)[1] = 9;
    expect(Array.from(binding.tensorDataSync(id))).toEqual([1, 2]);
    binding.deleteTensor(id);
  });

  test('an op with several outputs, more than asked for in the first call', () => {
    const axis = binding.createTensor([], DataType.int32, [0]);
    const value = binding.createTensor(
      [100],
      DataType.int32,
      Int32Array.from({ length: 100 }, (_, i) => i),
    );
    const attributes = [type(DataType.int32), { name: 'num_split', type: binding.TF_ATTR_INT, value: 100 }];
    const parts = binding.executeOp('Split', attributes, [axis, value], 100);
    expect(parts.map(({ id }) => binding.tensorDataSync(id)[0])).toEqual(
      Array.from({ length: 100 }, (_, i) => i),
    );
    [axis, value, ...parts.map(({ id }) => id)].forEach((id) => binding.deleteTensor(id));
  });
});

describe('kernels of our own', () => {
  test('gather equals picking by hand on every axis, and reads nothing back', () => {
    const x = tf.tensor3d(
      Array.from({ length: 24 }, (_, i) => i),
      [2, 3, 4],
    );
    const picked = tf.gather(
      x,
      tf.tensor2d(
        [
          [1, 0],
          [1, 1],
        ],
        [2, 2],
        'int32',
      ),
      1,
    );
    expect(picked.shape).toEqual([2, 2, 2, 4]);
    const table = x.arraySync();
    expect(picked.arraySync()).toEqual(
      table.map((rows) =>
        [
          [1, 0],
          [1, 1],
        ].map((pair) => pair.map((i) => rows[i])),
      ),
    );
    const read = jest.spyOn(tf.backend(), 'readSync');
    tf.gather(x, tf.tensor1d([1], 'int32')).dispose();
    expect(read).not.toHaveBeenCalled();
    read.mockRestore();
  });

  test('gather has its gradient', () => {
    const gradient = tf.grad((x) => tf.gather(x, tf.tensor1d([2, 0, 2], 'int32')).sum())(
      tf.tensor1d([1, 2, 3]),
    );
    expect(Array.from(gradient.dataSync())).toEqual([1, 0, 2]);
  });

  test('round leaves int32 alone and rounds halves to even', () => {
    expect(Array.from(tf.round(tf.tensor1d([-12345678, 10], 'int32')).dataSync())).toEqual([-12345678, 10]);
    expect(Array.from(tf.round(tf.tensor1d([0.5, 1.5, -2.5])).dataSync())).toEqual([0, 2, -2]);
  });
});

describe('device', () => {
  test('is where an op really ran', () => {
    const { kind, name, threads, tensorflow } = device();
    expect(tensorflow).toMatch(/^2\.21\./);
    expect(name).not.toBe('');
    expect(threads).toBe(threadCount());
    expect(tf.getBackend()).toBe('tensorflow');
    expect((tf.backend() as unknown as { isUsingGpuDevice: boolean }).isUsingGpuDevice).toBe(kind === 'gpu');
  });

  test('a context without GPUs lists the CPU only, and says where a tensor is', () => {
    expect(context.devices.map(({ type }) => type)).toEqual(['CPU']);
    const handle = createHandle([1], DataType.float32, [1]);
    expect(deviceOf(handle)).toBe(context.devices[0].name);
    api.TFE_DeleteTensorHandle(handle);
  });

  test('the probe passes on a device that computes, and gives the reason on one that does not', () => {
    const [cpu] = context.devices;
    expect(whyUnusable(context, cpu.name)).toBeUndefined();
    expect(whyUnusable(context, cpu.name.replace('CPU:0', 'GPU:0'))).toMatch(/GPU:0/);
  });

  test('a GPU that TensorFlow does not list is explained, and nothing is said where there is none', () => {
    const log = () => 'driver too old';
    const seen = { present: true, variant: 'cuda', log } as const;
    expect(whyUnlisted({ choice: 'auto', ...seen })).toBe(
      'TensorFlow found no usable GPU and says: driver too old',
    );
    expect(whyUnlisted({ choice: 'auto', ...seen, variant: 'cpu' })).toMatch(/npm run setup/);
    expect(whyUnlisted({ choice: 'auto', ...seen, present: false })).toBeUndefined();
    expect(whyUnlisted({ choice: 'gpu', ...seen, present: false })).toMatch(/no NVIDIA driver/);
    expect(whyUnlisted({ choice: 'cpu', ...seen })).toBeUndefined();
  });

  test('only complaints on GPUs are taken from the log', () => {
    const log = [
      '2026-03-05 00:16:01.5: I tensorflow/core/platform/cpu_feature_guard.cc:227] This binary is optimized for GPU',
      '2026-03-05 00:16:01.6: E external/local_xla/cuda_platform.cc:51] failed call to cuInit: CUDA_ERROR_NO_DEVICE',
      'W0000 00:00:1795573612.112146 7425 gpu_device.cc:2342] Cannot dlopen some GPU libraries.',
      'E0000 00:00:1795573612.112146 7425 file.cc:1] No such file',
    ];
    expect(gpuLines(log.join('\n'))).toBe(
      'failed call to cuInit: CUDA_ERROR_NO_DEVICE Cannot dlopen some GPU libraries.',
    );
  });

  test('ConfigProto: threads as a varint, memory growth on, or no GPU at all', () => {
    expect(Array.from(encodeConfig({ threads: 2, gpu: true }))).toEqual([0x10, 2, 0x32, 2, 0x20, 1]);
    expect(Array.from(encodeConfig({ threads: 300, gpu: true })).slice(0, 3)).toEqual([0x10, 0xac, 0x02]);
    const hidden = Buffer.from(encodeConfig({ threads: 1, gpu: false }));
    expect(hidden.subarray(2)).toEqual(Buffer.from([0x0a, 7, 0x0a, 3, ...Buffer.from('GPU'), 0x10, 0]));
  });
});

describe('limits of the container', () => {
  test('CPU quota of cgroup v2 and v1', () => {
    expect(parseCpuMax('150000 100000\n')).toBe(1.5);
    expect(parseCpuMax('max 100000\n')).toBe(Infinity);
    expect(parseCfsQuota('200000\n', '100000\n')).toBe(2);
    expect(parseCfsQuota('-1\n', '100000\n')).toBe(Infinity);
  });

  test('memory of cgroup v2 and v1', () => {
    expect(parseMemoryLimit('2147483648\n')).toBe(2 ** 31);
    expect(parseMemoryLimit('max\n')).toBe(Infinity);
    expect(parseMemoryLimit('9223372036854771712\n')).toBeGreaterThan(2 ** 60);
  });

  test('the group of this process, by controller', () => {
    const v1 = '9:name=systemd:/\n4:memory:/pod/one\n2:cpu,cpuacct:/pod:two\n0::/unified\n';
    expect(parseCgroupPath(v1, 'memory')).toBe('/pod/one');
    expect(parseCgroupPath(v1, 'cpu')).toBe('/pod:two');
    expect(parseCgroupPath(v1, '')).toBe('/unified');
    expect(parseCgroupPath('0::/\n', 'memory')).toBeUndefined();
  });

  test('this process has at least one thread and 256 MB', () => {
    expect(threadCount({})).toBeGreaterThanOrEqual(1);
    expect(threadCount({ TSDIFFUSION_THREADS: '3' })).toBe(3);
    expect(memoryLimit()).toBeGreaterThan(2 ** 28);
  });
});

test('random numbers leave no tensors behind', () => {
  const before = tf.memory().numTensors;
  const handles = (tf.backend() as unknown as { binding: EagerBinding }).binding.getNumOfTensors();
  const generator = createGenerator(0);
  for (let i = 0; i < 20; i++) {
    generator.normal([3, 5]).dispose();
    generator.uniform([3, 5], { min: -1, max: 2 }).dispose();
    generator.integers([7], { max: 1000 }).dispose();
  }
  expect(tf.memory().numTensors).toBe(before);
  expect((tf.backend() as unknown as { binding: EagerBinding }).binding.getNumOfTensors()).toBe(handles);
});
