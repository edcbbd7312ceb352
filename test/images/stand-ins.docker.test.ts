/** The images that set-up makes where no registry answers: they do what the examples need, and touch no tag of others. */
import { afterAll, describe, expect, test } from 'vitest';
import { type EngineApi, engineAt, engineJson } from '#setup/engine-api.ts';
import { type ImageRecipe, imageSets } from '#setup/image-recipes.ts';
import { ensureImages, standInName } from '#setup/images.ts';
import { lineProgress } from '#setup/progress.ts';

const engine: EngineApi = engineAt(process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock');
const progress = lineProgress(() => {});
const made: string[] = [];

/** A host under a name that no resolver knows: nothing can be pulled from it. */
const reference = (name: string): string => `registry.invalid/${name}:1`;

const recipe = (name: string, references: readonly string[]): ImageRecipe => ({
  name,
  references,
  packages: ['busybox-static'],
  files: [],
  busybox: true,
  texts: { greeting: { text: 'hello from a stand-in\n' } },
  changes: ['CMD ["cat", "/greeting"]'],
});

const imageId = async (name: string): Promise<string | undefined> => {
  const reply = await engine.call('GET', `/images/${encodeURIComponent(name)}/json`);
  return reply.status === 200 ? (JSON.parse(reply.text) as { Id: string }).Id : undefined;
};

interface RunOptions {
  readonly command?: readonly string[];
  readonly memoryBytes?: number;
  /** Called while it runs; then it gets TERM. */
  readonly while?: (id: string) => Promise<void>;
}

/** Runs a container without a network to its end. */
const run = async (image: string, options: RunOptions = {}) => {
  const memory =
    options.memoryBytes === undefined ? {} : { Memory: options.memoryBytes, MemorySwap: options.memoryBytes };
  const { Id } = await engineJson<{ Id: string }>(engine, 'POST', '/containers/create', {
    Image: image,
    ...(options.command ? { Cmd: options.command } : {}),
    Labels: { 'berth.test': 'stand-ins' },
    HostConfig: { NetworkMode: 'none', ...memory },
  });
  try {
    await engineJson(engine, 'POST', `/containers/${Id}/start`);
    if (options.while) {
      await options.while(Id);
      await engine.call('POST', `/containers/${Id}/stop?t=10`);
    }
    const { StatusCode } = await engineJson<{ StatusCode: number }>(engine, 'POST', `/containers/${Id}/wait`);
    const { State } = await engineJson<{ State: { OOMKilled: boolean } }>(engine, 'GET', `/containers/${Id}/json`);
    const log = (await engine.call('GET', `/containers/${Id}/logs?stdout=1&stderr=1`)).text;
    return { code: StatusCode, oomKilled: State.OOMKilled, log };
  } finally {
    await engine.call('DELETE', `/containers/${Id}?force=true`);
  }
};

/** Output of a command in a running container, asked again until it ends with 0. */
const exec = async (id: string, command: readonly string[]): Promise<string> => {
  for (let attempt = 0; attempt < 100; attempt++) {
    const body = { AttachStdout: true, AttachStderr: true, Cmd: command };
    const created = await engineJson<{ Id: string }>(engine, 'POST', `/containers/${id}/exec`, body);
    const { text } = await engine.call('POST', `/exec/${created.Id}/start`, { Detach: false, Tty: false });
    const { ExitCode } = await engineJson<{ ExitCode: number }>(engine, 'GET', `/exec/${created.Id}/json`);
    if (ExitCode === 0) return text;
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  throw new Error(`${command.join(' ')} did not succeed`);
};

afterAll(async () => {
  for (const name of made) await engine.call('DELETE', `/images/${encodeURIComponent(name)}?force=true`);
});

describe('a stand-in', () => {
  test('is built, runs, loses its public name on release, and is tagged again from the cache', async () => {
    const own = recipe('test-greeting', [reference('greeting')]);
    made.push(reference('greeting'), standInName(own));
    const prepared = await ensureImages(engine, [own], progress);
    expect(await run(reference('greeting'))).toMatchObject({
      code: 0,
      log: expect.stringContaining('hello from a stand-in'),
    });
    await prepared.release();
    expect(await imageId(reference('greeting'))).toBeUndefined();
    const cached = await imageId(standInName(own));
    expect(cached).toBeDefined();
    await (await ensureImages(engine, [own], progress)).release();
    expect(await imageId(standInName(own))).toBe(cached);
  });

  test('never takes or removes a tag that is there already', async () => {
    const own = recipe('test-other', [reference('theirs'), reference('missing')]);
    made.push(reference('theirs'), reference('missing'), standInName(own));
    await engineJson(
      engine,
      'POST',
      `/images/${encodeURIComponent('busybox:1.28')}/tag?repo=registry.invalid/theirs&tag=1`,
    );
    const theirs = await imageId(reference('theirs'));
    const prepared = await ensureImages(engine, [own], progress);
    expect(await imageId(reference('theirs'))).toBe(theirs);
    expect(await imageId(reference('missing'))).not.toBe(theirs);
    await prepared.release();
    expect(await imageId(reference('theirs'))).toBe(theirs);
  });
});

describe('the images of the documentation, pulled or stand-ins,', () => {
  test('are all there', async () => {
    for (const one of imageSets.docs.flatMap(set => set.references)) expect(await imageId(one), one).toBeDefined();
  });

  test('pause waits and ends with 0 when asked', async () => {
    expect(await run('registry.k8s.io/pause:3.8', { while: async () => {} })).toMatchObject({ code: 0 });
  });

  test('stress is OOM-killed above its limit', async () => {
    const command = ['stress', '--vm', '1', '--vm-bytes', '250M', '--vm-hang', '1'];
    const result = await run('polinux/stress', { command, memoryBytes: 100 << 20 });
    expect(result.oomKilled || result.code === 137 || result.code === 1).toBe(true);
    expect(result.code).not.toBe(0);
  });

  test('nginx serves its page and ends when asked', async () => {
    let page = '';
    const result = await run('nginx', {
      while: async id => {
        page = await exec(id, [
          'bash',
          '-c',
          'exec 3<>/dev/tcp/127.0.0.1/80; printf "GET / HTTP/1.0\r\n\r\n" >&3; cat <&3',
        ]);
      },
    });
    expect(page).toContain('Welcome to nginx!');
    expect(result.code).toBe(0);
  });

  test('debian has bash and printenv', async () => {
    expect(await run('debian', { command: ['bash', '-c', '[[ $(echo x) == x ]] && exit 42'] })).toMatchObject({
      code: 42,
    });
    expect(await run('debian', { command: ['printenv', 'HOME'] })).toMatchObject({
      code: 0,
      log: expect.stringContaining('/root'),
    });
  });

  test('redis answers', async () => {
    let answer = '';
    await run('redis', {
      while: async id => {
        answer = await exec(id, ['redis-cli', 'ping']);
      },
    });
    expect(answer).toContain('PONG');
  });
});
