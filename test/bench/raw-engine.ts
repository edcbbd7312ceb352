/**
 * The reference for pod starts: a pause container and an app container made by bare Docker Engine API calls over
 * keep-alive sockets, with the same network set-up as the agent's and nothing else.
 */
import { Agent, request } from 'node:http';

const socketPath = process.env['DOCKER_HOST']?.replace('unix://', '') ?? '/var/run/docker.sock';
const agent = new Agent({ keepAlive: true, maxSockets: 32 });

/** One Engine API call; rejects with the engine's message on a status ≥ 400. */
export const engine = (method: string, path: string, body?: object): Promise<Record<string, unknown>> =>
  new Promise((resolve, reject) => {
    const text = body === undefined ? '' : JSON.stringify(body);
    const call = request(
      {
        agent,
        socketPath,
        method,
        path: `/v1.41${path}`,
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
      },
      response => {
        let answer = '';
        response.on('data', chunk => {
          answer += chunk;
        });
        response.on('end', () => {
          if ((response.statusCode ?? 500) >= 400) reject(new Error(`${method} ${path}: ${response.statusCode} ${answer}`));
          else resolve(answer === '' ? {} : JSON.parse(answer));
        });
      },
    );
    call.on('error', reject);
    call.end(text);
  });

export interface RawPod {
  readonly pause: string;
  readonly app: string;
}

/** Creates and starts pause and app; resolves when both are started. */
export const startRawPod = async (name: string, image: string, command: readonly string[], pauseImage: string): Promise<RawPod> => {
  const labels = { 'berth.bench': 'raw' };
  const pause = await engine('POST', `/containers/create?name=${name}-pause`, {
    Image: pauseImage,
    Labels: labels,
    HostConfig: { NetworkMode: 'bridge', IpcMode: 'shareable' },
  });
  await engine('POST', `/containers/${pause['Id']}/start`);
  const app = await engine('POST', `/containers/create?name=${name}-app`, {
    Image: image,
    Cmd: command,
    Labels: labels,
    HostConfig: { NetworkMode: `container:${pause['Id']}`, IpcMode: `container:${pause['Id']}` },
  });
  await engine('POST', `/containers/${app['Id']}/start`);
  return { pause: String(pause['Id']), app: String(app['Id']) };
};

export const removeRawPod = async (pod: RawPod): Promise<void> => {
  await engine('DELETE', `/containers/${pod.app}?force=1`);
  await engine('DELETE', `/containers/${pod.pause}?force=1`);
};

/** Runs `task` for each item with at most `width` at a time; results in the order of the items. */
export const inParallel = async <T, R>(items: readonly T[], width: number, task: (item: T) => Promise<R>): Promise<R[]> => {
  const results: R[] = new Array(items.length);
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const at = next++;
      results[at] = await task(items[at]!);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
  return results;
};
