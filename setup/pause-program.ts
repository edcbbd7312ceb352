/**
 * The program of a pause image: waits for ever, leaves with 0 on INT and TERM, reaps orphans. It is written out as machine
 * code because set-up must not need a compiler: a few system calls, below 300 bytes with its ELF header, for x64 and arm64.
 *
 *          rt_sigprocmask(SIG_BLOCK, {INT, TERM, CHLD})    blocked signals are queued even for process 1
 *   again: switch (rt_sigtimedwait({INT, TERM, CHLD}))
 *            CHLD: while (wait4(-1, NULL, WNOHANG, NULL) > 0) ; goto again
 *            INT, TERM: exit(0)
 */

const x64Code = [
  'b80e000000 31ff 488d3558000000 31d2 41ba08000000 0f05', // rt_sigprocmask(0, &set, NULL, 8)
  'b880000000 488d3d42000000 31f6 31d2 41ba08000000 0f05', // again: eax = rt_sigtimedwait(&set, NULL, NULL, 8)
  '83f811 7413 83f80f 7405 83f802 75d9', // 17: reap; 15: done; not 2: again
  'b83c000000 31ff 0f05', // done: exit(0)
  'b83d000000 48c7c7ffffffff 31f6 ba01000000 4531d2 0f05', // reap: eax = wait4(-1, NULL, WNOHANG, NULL)
  '85c0 7fe4 ebb2', // above 0: reap; else again
  '0240010000000000', // set: bits of INT (2), TERM (15), CHLD (17)
].join('');

// Words as the manual prints them; memory holds them with the low byte first.
const arm64Code = [
  'd28010e8 d2800000 10000381 d2800002 d2800103 d4000001', // rt_sigprocmask(0, &set, NULL, 8)
  'd2801128 100002e0 d2800001 d2800002 d2800103 d4000001', // again: w0 = rt_sigtimedwait(&set, NULL, NULL, 8)
  '7100441f 54000100 71003c1f 54000060 7100081f 54fffea1', // 17: reap; 15: done; not 2: again
  'd2800ba8 d2800000 d4000001', // done: exit(0)
  'd2802088 92800000 d2800001 d2800022 d2800003 d4000001', // reap: w0 = wait4(-1, NULL, WNOHANG, NULL)
  '7100001f 54ffff2c 17ffffe9', // above 0: reap; else again
  '00014002 00000000', // set
].join(' ');

const headerBytes = 64 + 56;
const loadAddress = 0x400000;

/** A complete static executable for `x64` or `arm64`; undefined for other machines. */
export const pauseProgram = (arch: string): Buffer | undefined => {
  if (arch === 'x64') return executable(0x3e, Buffer.from(x64Code.replaceAll(' ', ''), 'hex'));
  if (arch === 'arm64') return executable(0xb7, Buffer.from(arm64Code.replaceAll(' ', ''), 'hex').swap32());
  return undefined;
};

/** An ELF64 file with one segment that holds everything, readable and executable. */
const executable = (machine: number, code: Buffer): Buffer => {
  const header = Buffer.alloc(headerBytes);
  header.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]); // ELF, 64 bit, little endian, version 1
  header.writeUInt16LE(2, 16); // an executable
  header.writeUInt16LE(machine, 18);
  header.writeUInt32LE(1, 20);
  header.writeBigUInt64LE(BigInt(loadAddress + headerBytes), 24); // entry point
  header.writeBigUInt64LE(64n, 32); // the program headers follow this header
  header.writeUInt16LE(64, 52); // size of this header
  header.writeUInt16LE(56, 54); // size of one program header
  header.writeUInt16LE(1, 56); // how many
  const size = BigInt(headerBytes + code.length);
  header.writeUInt32LE(1, 64); // PT_LOAD
  header.writeUInt32LE(5, 68); // read, execute
  header.writeBigUInt64LE(BigInt(loadAddress), 80);
  header.writeBigUInt64LE(BigInt(loadAddress), 88);
  header.writeBigUInt64LE(size, 96);
  header.writeBigUInt64LE(size, 104);
  header.writeBigUInt64LE(0x1000n, 112);
  return Buffer.concat([header, code]);
};
