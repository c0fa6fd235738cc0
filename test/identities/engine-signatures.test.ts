// The table of C functions against the headers of the very TensorFlow that is installed.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findRuntime } from '../../lib/engine/locate';
import { NativeType, Signature, signatures } from '../../lib/engine/signatures';

const HEADERS = ['c_api.h', 'tf_buffer.h', 'tf_status.h', 'tf_tensor.h', 'tf_tstring.h', 'eager/c_api.h'];
const ENUMS = ['TF_DataType', 'TF_Code', 'TF_AttrType'];

const { headers } = findRuntime();
const source = HEADERS.map((name) => readFileSync(join(headers, 'tensorflow', 'c', name), 'utf8'))
  .join('\n')
  .replace(/\/\*[\s\S]*?\*\//g, '')
  .replace(/\/\/.*$/gm, '')
  .replace(/^#.*$/gm, '')
  .replace(/\s+/g, ' ');

/** What the table may call a C type. */
function kindsOf(cType: string): NativeType[] {
  const type = cType
    .replace(/\bconst\b/g, '')
    .replace(/\s+/g, ' ')
    .trim();
  if (type.includes('*')) return /^const char ?\*$/.test(cType.trim()) ? ['string', 'pointer'] : ['pointer'];
  if (type === 'int' || ENUMS.includes(type)) return ['int'];
  if (type === 'unsigned char') return ['byte'];
  const same: Record<string, NativeType> = {
    void: 'void',
    float: 'float',
    int64_t: 'int64',
    size_t: 'size',
    TF_Output: 'output',
  };
  if (type in same) return [same[type]];
  throw new Error(`The test does not know the C type "${cType}".`);
}

/** `const char* attr_name` -> `const char*`; `TFE_TensorHandle** retvals` -> `TFE_TensorHandle**`. */
const withoutName = (parameter: string): string => {
  const [, type] = /^(.*?[*\s])\s*\w+$/.exec(parameter.trim()) ?? [];
  return type && !/^(const|unsigned|struct)$/.test(type.trim()) ? type.trim() : parameter.trim();
};

/** Everything that is wrong with one entry. */
function problems(name: string, [result, parameters]: Signature): string[] {
  const declaration = new RegExp(
    `TF_CAPI_EXPORT (?:extern )?([\\w *]+?) ?\\b${name} ?\\(([^;]*?)\\) ?;`,
  ).exec(source);
  if (!declaration) return [`${name} is in no header`];
  const [, cResult, list] = declaration;
  const cParameters = /^\s*(void)?\s*$/.test(list) ? [] : list.split(',').map(withoutName);
  const found: string[] = [];
  if (!kindsOf(cResult).includes(result)) found.push(`${name} returns ${cResult}, not ${result}`);
  if (cParameters.length !== parameters.length) {
    return [...found, `${name} takes ${cParameters.length} parameters, not ${parameters.length}`];
  }
  cParameters.forEach((cType, i) => {
    if (!kindsOf(cType).includes(parameters[i]))
      found.push(`${name}: parameter ${i} is ${cType}, not ${parameters[i]}`);
  });
  return found;
}

test('every entry has the result and the parameters of its declaration', () => {
  expect(Object.entries(signatures).flatMap(([name, signature]) => problems(name, signature))).toEqual([]);
});

test.each<[string, string, Signature, RegExp]>([
  ['a wrong result', 'TF_GetCode', ['pointer', ['pointer']], /returns TF_Code, not pointer/],
  [
    'a pointer for a number',
    'TF_AllocateTensor',
    ['pointer', ['int', 'pointer', 'pointer', 'size']],
    /parameter 2 is int,/,
  ],
  [
    'a narrower integer',
    'TFE_OpSetAttrInt',
    ['void', ['pointer', 'pointer', 'int']],
    /parameter 2 is int64_t, not int/,
  ],
  [
    'an integer for a float',
    'TFE_OpSetAttrFloat',
    ['void', ['pointer', 'pointer', 'int']],
    /is float, not int/,
  ],
  ['a string where bytes are taken', 'TF_TensorData', ['string', ['pointer']], /returns void\*, not string/],
  [
    'a parameter too few',
    'TFE_Execute',
    ['void', ['pointer', 'pointer', 'pointer']],
    /takes 4 parameters, not 3/,
  ],
  ['a parameter too many', 'TF_NewStatus', ['pointer', ['int']], /takes 0 parameters, not 1/],
  ['a name that does not exist', 'TF_NewStatusX', ['pointer', []], /is in no header/],
])('the comparison finds %s', (_, name, signature, message) => {
  expect(problems(name, signature).join('\n')).toMatch(message);
});
