/** What the engine says reaches users in its own words; a server on a socket stands for the engine. */
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ImagePuller } from '#agent/container/image-puller.ts';
import { DockerRuntime } from '#agent/docker/engine.ts';
import { createStop } from '#base/stop.ts';
import { systemClock } from '#base/system.ts';
import { container } from '#test/node-agent/pod-fixtures.ts';

const refusal =
  'Get "https://registry.example/v2/": dial tcp: lookup registry.example on 192.0.2.1:53: server misbehaving';

/** An engine that answers every call but /version with this. */
const engineSaying = async (status: number, body: string): Promise<DockerRuntime> => {
  const directory = mkdtempSync(path.join(tmpdir(), 'berth-engine-'));
  const socket = path.join(directory, 'docker.sock');
  const server = http.createServer((request, response) => {
    const isVersion = request.url?.endsWith('/version');
    const isImage = request.url?.includes('/json');
    response.writeHead(isVersion ? 200 : isImage ? 404 : status, { 'content-type': 'application/json' });
    response.end(isVersion ? JSON.stringify({ ApiVersion: '1.41', MinAPIVersion: '1.12' }) : body);
  });
  await new Promise<void>(resolve => server.listen(socket, resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
    rmSync(directory, { recursive: true, force: true });
  });
  return new DockerRuntime(`unix://${socket}`);
};

const neverAborted = createStop().signal;

test.each([
  ['as its answer', 500, JSON.stringify({ message: `${refusal} ` })],
  ['as plain text', 500, `${refusal}\n`],
  ['within the progress', 200, `${JSON.stringify({ status: 'Pulling' })}\n${JSON.stringify({ error: refusal })}\n`],
])('a refused pull, told %s, carries the sentence of the engine alone', async (_name, status, body) => {
  const engine = await engineSaying(status, body);
  await expect(engine.pullImage('registry.example/a:1', neverAborted)).rejects.toThrow(
    expect.objectContaining({ message: refusal }),
  );
});

test('other refusals likewise', async () => {
  const engine = await engineSaying(409, JSON.stringify({ message: 'Conflict. The name is in use.' }));
  await expect(engine.start('c')).rejects.toThrow(
    expect.objectContaining({ message: 'Conflict. The name is in use.', fault: 'conflict' }),
  );
});

test('events and waiting messages of a failed pull read as those of kubelets on Docker', async () => {
  const puller = new ImagePuller(await engineSaying(500, JSON.stringify({ message: refusal })), systemClock);
  const image = 'registry.example/a:1';
  expect(await puller.ensure(container('app', { image }), () => {}, neverAborted)).toEqual({
    events: [
      {
        type: 'Warning',
        reason: 'Failed',
        message: `Failed to pull image "${image}": Error response from daemon: ${refusal}`,
      },
    ],
    failure: { reason: 'ErrImagePull', message: `Error response from daemon: ${refusal}` },
  });
});
