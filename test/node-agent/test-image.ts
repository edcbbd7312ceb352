/**
 * The image of the agent tests' pods: busybox, as `npm test` puts it on this machine's engine. Engines that a test starts for
 * itself get a copy of its files.
 */
import http from 'node:http';
import { DockerRuntime } from '#agent/docker/engine.ts';
import { engineAt, engineJson } from '#setup/engine-api.ts';

export const testImage = 'busybox:1.37';
/** The engine's socket: what DOCKER_HOST names, else the usual one. */
export const dockerSocket = process.env['DOCKER_HOST']?.replace(/^unix:\/\//, '') || '/var/run/docker.sock';

/** Throws where the machine's engine lacks the image. */
export const needTestImage = async (): Promise<void> => {
  if (await new DockerRuntime(dockerSocket).image(testImage)) return;
  throw new Error(`${testImage} is not on the engine: npm test puts it there (npm test -- FILE for one file)`);
};

/** The files of the image, as a tar archive, from the machine's engine. */
export const testImageFiles = async (): Promise<Buffer> => {
  await needTestImage();
  const api = engineAt(`unix://${dockerSocket}`);
  const { Id: id } = await engineJson<{ Id: string }>(api, 'POST', '/containers/create', { Image: testImage });
  try {
    return await download(`/containers/${id}/export`);
  } finally {
    await api.call('DELETE', `/containers/${id}?v=true`);
  }
};

/** Makes the image on another engine. */
export const importTestImage = (socket: string, files: Uint8Array): Promise<void> => {
  const [repository = '', tag = ''] = testImage.split(':');
  return new DockerRuntime(socket).importImage(repository, tag, files, ['ENV PATH=/bin', 'CMD ["sh"]']);
};

const download = (path: string): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    http
      .get({ socketPath: dockerSocket, path, agent: false }, response => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          if (response.statusCode === 200) resolve(Buffer.concat(parts));
          else reject(new Error(`GET ${path}: status ${response.statusCode}: ${Buffer.concat(parts)}`));
        });
      })
      .on('error', reject);
  });
