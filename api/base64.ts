/** Base64 of UTF-8 text, without anything of the platform: Secrets keep their values so. */
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

export const textToBase64 = (text: string): string => {
  const bytes = utf8(text);
  let out = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const [a = 0, b, c] = bytes.slice(i, i + 3);
    const group = (a << 16) | ((b ?? 0) << 8) | (c ?? 0);
    out += alphabet[group >> 18]! + alphabet[(group >> 12) & 63]!;
    out += b === undefined ? '=' : alphabet[(group >> 6) & 63]!;
    out += c === undefined ? '=' : alphabet[group & 63]!;
  }
  return out;
};

/** The text; bytes that are no UTF-8 become U+FFFD. */
export const base64ToText = (base64: string): string => {
  const escaped: string[] = [];
  for (const byte of base64Bytes(base64)) escaped.push(`%${byte.toString(16).padStart(2, '0')}`);
  try {
    return decodeURIComponent(escaped.join(''));
  } catch {
    return String.fromCodePoint(...base64Bytes(base64).map(byte => (byte < 0x80 ? byte : 0xfffd)));
  }
};

/** How many bytes it stands for. */
export const base64Length = (base64: string): number => {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  return Math.floor((base64.length * 3) / 4) - padding;
};

export const utf8 = (text: string): number[] => {
  const bytes: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (code < 0x80) bytes.push(code);
    else if (code < 0x800) bytes.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) bytes.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else bytes.push(0xf0 | (code >> 18), 0x80 | ((code >> 12) & 63), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
  }
  return bytes;
};

const base64Bytes = (base64: string): number[] => {
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const character of base64) {
    const value = alphabet.indexOf(character);
    if (value < 0) continue;
    held = ((held << 6) | value) & 0xffffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((held >> bits) & 255);
  }
  return bytes;
};
