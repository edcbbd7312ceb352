import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonSyntaxFault } from '#api/json-syntax.ts';

describe('why a text is no JSON', () => {
  test.each([
    ['', 'unexpected end of JSON input'],
    ['{', 'unexpected end of JSON input'],
    ['"a', 'unexpected end of JSON input'],
    ['[1,', 'unexpected end of JSON input'],
    ['tru', 'unexpected end of JSON input'],
    ['-', 'unexpected end of JSON input'],
    ['"\\u12', 'unexpected end of JSON input'],
    ['{"a":}', "invalid character '}' looking for beginning of value"],
    ['[1,]', "invalid character ']' looking for beginning of value"],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ["{'a':1}", "invalid character '\\'' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b":2}', `invalid character '"' after object key:value pair`],
    ['[1 2]', "invalid character '2' after array element"],
    ['{} x', "invalid character 'x' after top-level value"],
    ['01', "invalid character '1' after top-level value"],
    ['1.x', "invalid character 'x' after decimal point in numeric literal"],
    ['1e+x', "invalid character 'x' in exponent of numeric literal"],
    ['-x', "invalid character 'x' in numeric literal"],
    ['nulx', "invalid character 'x' in literal null (expecting 'l')"],
    ['"a\nb"', "invalid character '\\n' in string literal"],
    ['"\\x"', "invalid character 'x' in string escape code"],
    ['"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"],
    ['é', "invalid character 'é' looking for beginning of value"],
  ])('%j: %s', (text, fault) => {
    expect(jsonSyntaxFault(text)).toBe(fault);
  });

  test('there is one exactly where JSON.parse finds one, however the text was damaged', () => {
    const isJson = (text: string) => {
      try {
        JSON.parse(text);
        return true;
      } catch {
        return false;
      }
    };
    fc.assert(
      fc.property(
        fc.json(),
        fc.nat(),
        fc.constantFrom('', '{', '}', '[', ']', ',', ':', '"', '\\', '0', '-', '.', 'e', 't', ' '),
        (text, at, put) => {
          const i = at % (text.length + 1);
          const damaged = text.slice(0, i) + put + text.slice(put === '' ? i + 1 : i);
          expect(jsonSyntaxFault(damaged) === undefined, damaged).toBe(isJson(damaged));
        },
      ),
      { numRuns: 2000, seed: 7 },
    );
  });

  test('depth costs no stack', () => {
    expect(jsonSyntaxFault('['.repeat(1_000_000))).toBe('unexpected end of JSON input');
  });
});
