/**
 * The pause image, made from nothing: an ELF program of some 300 bytes that waits for SIGTERM or SIGINT and ends with
 * 0, and whose ended children the kernel reaps by itself (SIGCHLD is ignored with SA_NOCLDWAIT), which makes it a
 * fit process 1 for a shared process namespace. So an agent needs no registry and no compiler for its sandboxes.
 */
import { type ContainerRuntime, RuntimeError } from '../runtime.ts';

export const pauseImage = 'berth.local/pause:1';

/**
 * Machine code per architecture. In words: rt_sigaction(SIGCHLD, {SIG_IGN, SA_NOCLDWAIT}); rt_sigprocmask(SIG_BLOCK,
 * {TERM, INT}); until rt_sigtimedwait({TERM, INT}) gives one; exit_group(0). Blocked signals are kept even for process
 * 1, so no handler is needed. The last 40 bytes are the signal set and the action. Assembled with llvm-mc.
 */
const programs: Readonly<Record<string, { readonly machine: number; readonly code: string }>> = {
  amd64: {
    machine: 62,
    code:
      'b80d000000bf11000000488d354f00000031d241ba080000000f05b80e00000031ff488d352f00000031d241ba080000000f05' +
      'b880000000488d3d1900000031f631d241ba080000000f0585c078e4b8e700000031ff0f0502400000000000000100000000000000' +
      '020000000000000000000000000000000000000000000000',
  },
  arm64: {
    machine: 183,
    code:
      'c81080d2200280d2c1020010020080d2030180d2010000d4e81080d2000080d2c1010010020080d2030180d2010000d4' +
      '281180d220010010010080d2020080d2030180d2010000d440ffff37c80b80d2000080d2010000d4' +
      '02400000000000000100000000000000020000000000000000000000000000000000000000000000',
  },
};

const codeOffset = 0x78;
const loadAddress = 0x400000;

const bytesOfHex = (hex: string): Uint8Array =>
  Uint8Array.from({ length: hex.length / 2 }, (_, i) => Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16));

/** A static ELF executable for `architecture` (Go's name); undefined for one that has no program yet. */
export const pauseProgram = (architecture: string): Uint8Array | undefined => {
  const program = programs[architecture];
  if (!program) return undefined;
  const code = bytesOfHex(program.code);
  const file = new Uint8Array(codeOffset + code.length);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]); // magic, 64 bit, little endian, version
  view.setUint16(16, 2, true); // executable
  view.setUint16(18, program.machine, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BigInt(loadAddress + codeOffset), true); // entry
  view.setBigUint64(32, 64n, true); // program headers follow
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  view.setUint32(64, 1, true); // load the whole file
  view.setUint32(68, 5, true); // readable, executable
  view.setBigUint64(80, BigInt(loadAddress), true);
  view.setBigUint64(88, BigInt(loadAddress), true);
  view.setBigUint64(96, BigInt(file.length), true);
  view.setBigUint64(104, BigInt(file.length), true);
  view.setBigUint64(112, 0x1000n, true);
  file.set(code, codeOffset);
  return file;
};

const blockBytes = 512;

const putText = (block: Uint8Array, at: number, text: string): void => {
  for (let i = 0; i < text.length; i++) block[at + i] = text.charCodeAt(i);
};

/** A tar archive (ustar) that holds one executable file. */
export const tarOf = (name: string, content: Uint8Array): Uint8Array => {
  const blocks = 1 + Math.ceil(content.length / blockBytes) + 2;
  const tar = new Uint8Array(blocks * blockBytes);
  putText(tar, 0, name);
  putText(tar, 100, '0000755\0');
  putText(tar, 108, '0000000\0');
  putText(tar, 116, '0000000\0');
  putText(tar, 124, `${content.length.toString(8).padStart(11, '0')}\0`);
  putText(tar, 136, '00000000000\0');
  putText(tar, 148, '        ');
  putText(tar, 156, '0');
  putText(tar, 257, 'ustar\x0000');
  const sum = tar.subarray(0, blockBytes).reduce((total, byte) => total + byte, 0);
  putText(tar, 148, `${sum.toString(8).padStart(6, '0')}\0 `);
  tar.set(content, blockBytes);
  return tar;
};

/** Makes sure that the engine has the pause image; a present one is left as it is. */
export const ensurePauseImage = async (runtime: ContainerRuntime, architecture: string): Promise<void> => {
  if (await runtime.image(pauseImage)) return;
  const program = pauseProgram(architecture);
  if (!program)
    throw new RuntimeError(
      'invalid',
      `no built-in pause program for ${architecture}: load an image named ${pauseImage}`,
    );
  const [repository = '', tag = ''] = pauseImage.split(':');
  await runtime.importImage(repository, tag, tarOf('pause', program), [
    'ENTRYPOINT ["/pause"]',
    'LABEL berth.dev/pause=1',
  ]);
};
