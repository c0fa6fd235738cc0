/** What the header says of one tensor; offsets count from the first byte after the header. */
export interface HeaderEntry {
  dtype: string;
  shape: number[];
  begin: number;
  end: number;
}

export interface Header {
  metadata: Record<string, string>;
  entries: Map<string, HeaderEntry>;
  /** Offset of the first byte after the header. */
  start: number;
}

/** As in the reference implementation: a longer header is an attack or a damaged length. */
const MAX_HEADER = 100_000_000;

/**
 * Reads and checks the header of a safetensors file: the tensors must cover the data without gap or overlap.
 * @throws Error naming the file (`name`), what is wrong, and the remedy.
 */
export function parseHeader(bytes: Buffer, name: string): Header {
  const fail = (problem: string): never => {
    throw new Error(
      `Cannot read ${name}: ${problem}. The file is damaged or not a safetensors file: make or copy it again.`,
    );
  };
  if (bytes.length < 8) return fail(`it has only ${bytes.length} bytes`);
  const length = bytes.readBigUInt64LE();
  if (length > MAX_HEADER)
    return fail(`its header would be ${length} bytes long, and at most ${MAX_HEADER} are allowed`);
  const start = 8 + Number(length);
  if (start > bytes.length)
    return fail(`it ends inside its header (${bytes.length} of at least ${start} bytes)`);

  const json = bytes.toString('utf8', 8, start);
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (error) {
    return fail(`its header is not JSON (${(error as Error).message})`);
  }
  if (!isRecord(parsed)) return fail('its header is not a JSON object');
  const twice = duplicateKey(json);
  if (twice !== undefined) return fail(`its header has the key ${JSON.stringify(twice)} twice`);

  const metadata: Record<string, string> = {};
  const entries = new Map<string, HeaderEntry>();
  for (const [key, value] of Object.entries(parsed)) {
    if (key === '__metadata__') {
      if (!isRecord(value) || !Object.values(value).every((text) => typeof text === 'string'))
        return fail('its __metadata__ is not a map from text to text');
      Object.assign(metadata, value);
    } else {
      entries.set(
        key,
        toEntry(value) ?? fail(`the entry of ${JSON.stringify(key)} is not {dtype, shape, data_offsets}`),
      );
    }
  }

  let covered = 0;
  for (const [key, { begin, end }] of [...entries].sort(
    ([, a], [, b]) => a.begin - b.begin || a.end - b.end,
  )) {
    if (begin < covered) return fail(`the data of ${JSON.stringify(key)} overlap those of another tensor`);
    if (begin > covered)
      return fail(`there is a gap of ${begin - covered} bytes before the data of ${JSON.stringify(key)}`);
    covered = end;
  }
  const found = bytes.length - start;
  if (found < covered)
    return fail(`it is cut off: ${covered} bytes of data are announced, ${found} are there`);
  if (found > covered) return fail(`${found - covered} unknown bytes follow its data`);
  return { metadata, entries, start };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function toEntry(value: unknown): HeaderEntry | undefined {
  if (!isRecord(value)) return undefined;
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== 'string' || !isCounts(shape) || !isCounts(offsets) || offsets.length !== 2)
    return undefined;
  const [begin, end] = offsets as [number, number];
  return begin <= end ? { dtype, shape, begin, end } : undefined;
}

/** The first key that an object of this (valid) JSON text has twice; JSON.parse would silently keep the last. */
function duplicateKey(json: string): string | undefined {
  const open: Set<string>[] = [];
  for (const [token, text, colon] of json.matchAll(/("(?:[^"\\]|\\.)*")\s*(:?)|[{}]/g)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (colon) {
      const key = JSON.parse(text!) as string;
      const keys = open[open.length - 1]!;
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return undefined;
}
