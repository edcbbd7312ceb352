/** exec, attach and logs -f as clients see them; on the real engine. */
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { podKind } from '#api/kinds/core.ts';
import { createStop } from '#base/stop.ts';
import { dockerFault, type Harness, podOf, rootFault, startHarness, until } from '#test/node-agent/harness.ts';
import { openSession } from '#test/node-agent/session.ts';

const success = '{"metadata":{},"status":"Success"}';

describe.skipIf(dockerFault !== undefined)('streams of a pod', () => {
  let h: Harness;
  beforeAll(async () => {
    h = await startHarness();
    h.client.put(podKind, podOf('box', { command: ['sh', '-c', 'trap "exit 0" TERM; while :; do sleep 0.05; done'] }));
    await until('box', () => h.pod('box')?.status?.phase === 'Running');
  });
  afterAll(() => h.dispose());

  const target = (name: string) => ({
    namespace: 'default',
    pod: name,
    uid: h.pod(name)!.metadata.uid!,
    container: 'app',
  });
  const exec = async (command: readonly string[], options: { stdin?: string; tty?: boolean } = {}) => {
    const session = openSession();
    if (options.stdin !== undefined) {
      session.stdin(options.stdin);
      session.endStdin();
    }
    const tty = options.tty === true;
    await h.agent.handler.exec(
      { ...target('box'), command, stdin: options.stdin !== undefined, stdout: true, stderr: !tty, tty },
      session,
    );
    session.leave();
    return session;
  };

  test('exec gives stdout and stderr apart, and Success last', async () => {
    const session = await exec(['sh', '-c', 'echo out; echo err >&2']);
    expect([session.text(1), session.text(2), session.text(3)]).toEqual(['out\n', 'err\n', success]);
  });

  test('exec gives the exit code as a cause', async () => {
    const status = JSON.parse((await exec(['sh', '-c', 'exit 7'])).text(3));
    expect(status).toMatchObject({
      reason: 'NonZeroExitCode',
      code: 500,
      details: { causes: [{ reason: 'ExitCode', message: '7' }] },
    });
    expect(status.message).toBe('command terminated with non-zero exit code: exit status 7');
  });

  test('exec passes stdin on and its end', async () => {
    const session = await exec(['tr', 'a-z', 'A-Z'], { stdin: 'hello' });
    expect(session.text(1)).toBe('HELLO');
  });

  test('exec of many at once loses nothing', async () => {
    const sessions = await Promise.all(Array.from({ length: 8 }, (_, i) => exec(['cat'], { stdin: `line ${i}\n` })));
    expect(sessions.map(session => session.text(1))).toEqual(Array.from({ length: 8 }, (_, i) => `line ${i}\n`));
  });

  test('exec carries a megabyte both ways unchanged', async () => {
    const text = 'x'.repeat(1 << 20);
    expect((await exec(['cat'], { stdin: text })).text(1)).toBe(text);
  });

  test('exec of a command that is not there says so as an internal error', async () => {
    const session = await exec(['nonesuch']);
    const status = JSON.parse(session.text(3));
    expect(status.reason).toBe('InternalError');
    expect(status.message).toContain('executable file not found in $PATH');
    expect(session.text(1)).toBe('');
  });

  test('exec with a terminal has one, of the size asked for', async () => {
    const session = openSession();
    const done = h.agent.handler.exec(
      { ...target('box'), command: ['sh'], stdin: true, stdout: true, stderr: false, tty: true },
      session,
    );
    session.resize(77, 21);
    await until('prompt', () => session.text(1) !== '');
    await until('size', () => {
      session.stdin('stty size\r');
      return new Promise<boolean>(resolve => setTimeout(() => resolve(session.text(1).includes('21 77')), 100));
    });
    session.stdin('exit 5\r');
    await done;
    expect(JSON.parse(session.text(3)).details.causes[0].message).toBe('5');
    session.leave();
  });

  test('a client that leaves takes its command with it', async ({ skip }) => {
    skip(rootFault !== undefined, rootFault);
    const session = openSession();
    // Told apart from those of other runs on this machine.
    const seconds = String(900_000_000 + process.pid);
    const done = h.agent.handler.exec(
      { ...target('box'), command: ['sleep', seconds], stdin: false, stdout: true, stderr: true, tty: false },
      session,
    );
    const isRunning = () =>
      readdirSync('/proc').some(pid => {
        try {
          return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith(`sleep\x00${seconds}`);
        } catch {
          return false;
        }
      });
    await until('sleep runs', isRunning);
    session.leave();
    await done;
    await until('sleep ended', () => !isRunning());
  });

  test('attach to a stdinOnce container feeds it, ends its input, and lets it finish', async () => {
    h.client.put(
      podKind,
      podOf('once', { command: ['tr', 'a-z', 'A-Z'], stdin: true, stdinOnce: true }, { restartPolicy: 'Never' }),
    );
    await until('ready', () => h.pod('once')?.status?.containerStatuses?.[0]?.ready);
    const session = openSession();
    const done = h.agent.handler.attach(
      { ...target('once'), stdin: true, stdout: true, stderr: true, tty: false },
      session,
    );
    session.stdin('shout\n');
    session.endStdin();
    await done;
    expect([session.text(1), session.text(3)]).toEqual(['SHOUT\n', success]);
    await until('succeeded', () => h.pod('once')?.status?.phase === 'Succeeded');
    session.leave();
  });

  test('attach without stdinOnce leaves the process its input when the client ends', async () => {
    h.client.put(
      podKind,
      podOf('stay', { command: ['sh', '-c', 'while read line; do echo got $line; done; echo over'], stdin: true }),
    );
    await until('ready', () => h.pod('stay')?.status?.containerStatuses?.[0]?.ready);
    for (const word of ['one', 'two']) {
      const session = openSession();
      const done = h.agent.handler.attach(
        { ...target('stay'), stdin: true, stdout: true, stderr: true, tty: false },
        session,
      );
      session.stdin(`${word}\n`);
      await until('echo', () => session.text(1).includes(`got ${word}`));
      session.endStdin();
      session.leave();
      await done;
    }
    expect(h.pod('stay')!.status!.containerStatuses![0]!.restartCount).toBe(0);
    await h.client.remove(podKind, { namespace: 'default', name: 'stay' }, { gracePeriodSeconds: 0 });
  });

  test('logs -f follows to the end, --tail and --since cut the beginning', async () => {
    h.client.put(
      podKind,
      podOf(
        'talk',
        { command: ['sh', '-c', 'for i in 1 2 3; do echo $i; done; sleep 1; echo 4'] },
        { restartPolicy: 'Never' },
      ),
    );
    await until('running', () => h.pod('talk')?.status?.phase === 'Running');
    let text = '';
    const request = { ...target('talk'), follow: true, previous: false, timestamps: false, tailLines: 1 };
    await until('third', async () => {
      let soFar = '';
      await h.agent.handler.logs(
        { ...request, follow: false, tailLines: 10 },
        async chunk => {
          soFar += Buffer.from(chunk).toString();
        },
        createStop().signal,
      );
      return soFar.includes('3\n');
    });
    await h.agent.handler.logs(
      request,
      async chunk => {
        text += Buffer.from(chunk).toString();
      },
      createStop().signal,
    );
    expect(text).toBe('3\n4\n');
    let recent = '';
    const future = new Date(Date.now() + 60_000).toISOString();
    await h.agent.handler.logs(
      { ...request, follow: false, tailLines: 9, sinceTime: future },
      async chunk => {
        recent += Buffer.from(chunk).toString();
      },
      createStop().signal,
    );
    expect(recent).toBe('');
  });

  test('a follower that leaves ends the stream', async () => {
    const stop = createStop();
    const done = h.agent.handler.logs(
      { ...target('box'), follow: true, previous: false, timestamps: false },
      async () => {},
      stop.signal,
    );
    stop.stop();
    await done;
  });

  test("refuses what does not run, in upstream's words", async () => {
    const session = openSession();
    await expect(
      h.agent.handler.exec(
        { ...target('once'), command: ['true'], stdin: false, stdout: true, stderr: true, tty: false },
        session,
      ),
    ).rejects.toThrow('container not found ("app")');
    await expect(
      h.agent.handler.logs(
        { ...target('box'), follow: false, previous: true, timestamps: false },
        async () => {},
        createStop().signal,
      ),
    ).rejects.toThrow('previous terminated container "app" in pod "box" not found');
  });
});
