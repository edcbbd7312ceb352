/**
 * The protobuf wire format, as much as reading needs: tags, varints, fixed-size and length-delimited values, and bytes as
 * text. Hand-made (80 lines) instead of a reflection library, which would cost more start-up time than the whole server.
 */

/** Bytes that are no protobuf message. */
export class WireError extends Error {
  override name = 'WireError';
}

/** One field of a message as it stands on the wire: a number for varints and fixed sizes, bytes otherwise. */
export interface WireField {
  readonly id: number;
  readonly value: bigint | Uint8Array;
}

/** The fields of a message in order; throws WireError where the bytes end early or hold groups. */
export function* wireFields(bytes: Uint8Array): Generator<WireField> {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw new WireError('unexpected EOF');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new WireError('proto: integer overflow');
  };
  const take = (length: number): Uint8Array => {
    if (length > bytes.length - at) throw new WireError('unexpected EOF');
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const id = Math.floor(tag / 8);
    if (id === 0) throw new WireError('proto: illegal tag 0');
    switch (tag % 8) {
      case 0:
        yield { id, value: varint() };
        break;
      case 1:
        yield { id, value: littleEndian(take(8)) };
        break;
      case 2:
        yield { id, value: take(Number(varint())) };
        break;
      case 5:
        yield { id, value: littleEndian(take(4)) };
        break;
      default:
        throw new WireError(`proto: illegal wireType ${tag % 8}`);
    }
  }
}

const littleEndian = (bytes: Uint8Array): bigint =>
  bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);

/** UTF-8 as text; ill-formed sequences become U+FFFD. */
export const utf8Text = (bytes: Uint8Array): string => {
  let text = '';
  const codes: number[] = [];
  for (let i = 0; i < bytes.length; ) {
    const first = bytes[i++] as number;
    const length = first < 0x80 ? 0 : first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc2 ? 1 : -1;
    let code = length <= 0 ? first : first & (0x3f >> length);
    let good = length >= 0 && first < 0xf5;
    for (let k = 0; good && k < length; k++) {
      const next = bytes[i] ?? 0;
      good = (next & 0xc0) === 0x80;
      if (good) code = (code << 6) | (next & 0x3f);
      if (good) i++;
    }
    const overlong = length > 0 && code < [0, 0x80, 0x800, 0x10000][length]!;
    codes.push(good && !overlong && code <= 0x10ffff && (code & 0xfffff800) !== 0xd800 ? code : 0xfffd);
    if (codes.length === 8192) text += String.fromCodePoint(...codes.splice(0));
  }
  return text + String.fromCodePoint(...codes);
};

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Base64 with padding. */
export const bytesToBase64 = (bytes: Uint8Array): string => {
  const parts: string[] = [];
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const group = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    parts.push(
      alphabet.charAt(group >> 18) +
        alphabet.charAt((group >> 12) & 63) +
        (left > 1 ? alphabet.charAt((group >> 6) & 63) : '=') +
        (left > 2 ? alphabet.charAt(group & 63) : '='),
    );
  }
  return parts.join('');
};
