import { describe, expect, test } from 'vitest';
import { base64Length, base64ToText, textToBase64 } from '#api/base64.ts';
import {
  asPrefix,
  configKeyFaults,
  envNameFaults,
  isIPv4,
  isIPv6,
  label1035Faults,
  labelFaults,
  portNameFaults,
  rangeFaults,
  volumePathFaults,
} from '#api/names.ts';

describe('names', () => {
  test('labels are lower case and without dots, in upstream’s words', () => {
    expect(labelFaults('my-name-1')).toEqual([]);
    expect(labelFaults('Web')).toEqual([
      "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')",
    ]);
    expect(labelFaults('a.b')).toEqual(['must not contain dots']);
    expect(labelFaults('a'.repeat(64))).toEqual(['must be no more than 63 bytes']);
    expect(label1035Faults('1a')[0]).toContain('a DNS-1035 label must consist of');
  });
  test('a prefix for generated names may end in a dash', () => {
    expect(asPrefix(labelFaults)('web-')).toEqual([]);
    expect(asPrefix(labelFaults)('Web-')).toHaveLength(1);
  });
  test('keys of config', () => {
    expect(configKeyFaults('.dockerconfigjson')).toEqual([]);
    expect(configKeyFaults('a b')).toHaveLength(1);
    expect(configKeyFaults('..')).toEqual(["must not be '..'"]);
    expect(configKeyFaults('..a')).toEqual(["must not start with '..'"]);
  });
  test('environment variables may hold any printable ASCII but =', () => {
    expect(envNameFaults('my.var-1 x')).toEqual([]);
    expect(envNameFaults('a=b')).toHaveLength(1);
    expect(envNameFaults('ä')).toHaveLength(1);
  });
  test('port names', () => {
    expect(portNameFaults('http-1')).toEqual([]);
    expect(portNameFaults('80')).toEqual(['must contain at least one letter (a-z)']);
    expect(portNameFaults('a--b')).toEqual(['must not contain consecutive hyphens']);
    expect(portNameFaults('Http')).toEqual(['must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)']);
  });
  test('addresses and ranges', () => {
    expect(['10.0.0.1', '255.255.255.255', '0.0.0.0'].every(isIPv4)).toBe(true);
    expect(['10.0.0', '10.0.0.256', '010.0.0.1', 'a'].some(isIPv4)).toBe(false);
    expect(['::', '::1', 'fe80::1', '1:2:3:4:5:6:7:8', '::ffff:10.0.0.1'].every(isIPv6)).toBe(true);
    expect(['1:2:3', '1::2::3', '12345::', '1:2:3:4:5:6:7:8:9', '10.0.0.1'].some(isIPv6)).toBe(false);
    expect(rangeFaults('10.0.0.0/24')).toEqual([]);
    expect(rangeFaults('10.0.0.0/33')).toHaveLength(1);
  });
  test('paths in volumes stay below the volume', () => {
    expect(volumePathFaults('a/b')).toEqual([]);
    expect(volumePathFaults('/a')).toEqual(['must be a relative path']);
    expect(volumePathFaults('a/../b')).toEqual(["must not contain '..'"]);
    expect(volumePathFaults('..data')).toEqual(["must not start with '..'"]);
  });
});

describe('base64', () => {
  test.each(['', 'a', 'ab', 'abc', 'é€😀', 'x'.repeat(1000)])('there and back: %s', text => {
    expect(textToBase64(text)).toBe(Buffer.from(text).toString('base64'));
    expect(base64ToText(textToBase64(text))).toBe(text);
    expect(base64Length(textToBase64(text))).toBe(Buffer.from(text).length);
  });
});
