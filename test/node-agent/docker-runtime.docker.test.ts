import { beforeAll, describe, expect, test } from 'vitest';
import { ensurePauseImage, pauseImage } from '#agent/container/pause-image.ts';
import { DockerRuntime } from '#agent/docker/engine.ts';
import { isFault } from '#agent/runtime.ts';
import { dockerFault, until } from '#test/node-agent/harness.ts';
import { runtimeContract } from '#test/node-agent/runtime-contract.ts';
import { dockerSocket, needTestImage, testImage } from '#test/node-agent/test-image.ts';

describe.skipIf(dockerFault !== undefined)('the Docker Engine', () => {
  const runtime = new DockerRuntime(dockerSocket);
  const suite = `contract-${process.pid}`;
  const labels = { 'berth.dev/suite': suite };
  const command = { waits: ['sleep', '100'], 'exits 3': ['sh', '-c', 'exit 3'] };
  const base = {
    image: testImage,
    labels,
    env: [],
    tty: false,
    stdin: false,
    stdinOnce: false,
    host: { NetworkMode: 'none' },
  };
  beforeAll(needTestImage);

  runtimeContract(
    () => ({
      runtime,
      spec: (name, how) => ({ ...base, name: `${suite}-${name}`, command: command[how] }),
      pause: () => new Promise(resolve => setTimeout(resolve, 10)),
    }),
    labels,
  );

  test('negotiates a version and describes itself', async () => {
    const info = await runtime.info();
    expect(info.cpus).toBeGreaterThan(0);
    expect(Number(info.apiVersion.split('.')[1])).toBeGreaterThanOrEqual(41);
  });

  test('the built-in pause program runs as process 1, ends on TERM with 0, and reaps orphans', async () => {
    await ensurePauseImage(runtime, (await runtime.info()).architecture);
    const pause = await runtime.create({
      ...base,
      name: `${suite}-pause`,
      image: pauseImage,
      host: { NetworkMode: 'none', IpcMode: 'shareable' },
    });
    await runtime.start(pause);
    // In its process namespace, a grandchild whose parent ends becomes the pause program's child.
    const other = await runtime.create({
      ...base,
      name: `${suite}-orphans`,
      command: ['sh', '-c', '(sh -c "sleep 0.1" & ); sleep 0.5; ps -o stat,comm | grep -c ^Z; exit 0'],
      host: { NetworkMode: 'none', PidMode: `container:${pause}` },
    });
    await runtime.start(other);
    await until('orphans', async () => (await runtime.inspect(other))?.phase === 'exited');
    let text = '';
    await runtime.logs(
      other,
      { follow: false, timestamps: false, stdout: true, stderr: true },
      async chunk => {
        text += Buffer.from(chunk).toString();
      },
      new AbortController().signal,
    );
    expect(text.trim()).toBe('0');
    await runtime.signal(pause, 'SIGTERM');
    await until('pause ended', async () => (await runtime.inspect(pause))?.phase === 'exited');
    expect((await runtime.inspect(pause))!.exitCode).toBe(0);
  });

  test('an engine that is not there is unavailable, not an error of the request', async () => {
    const failure = await new DockerRuntime('unix:///nonesuch.sock').ping().catch((error: unknown) => error);
    expect(isFault(failure, 'unavailable')).toBe(true);
  });
});
