/**
 * An image registry on loopback, as far as an engine that pulls needs one (OCI distribution specification, pull only). Engines
 * take registries on 127.0.0.0/8 without TLS.
 */
import { createHash } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Registry {
  /** `127.0.0.1:PORT`, the first part of its images' references. */
  readonly host: string;
  /** Serves an image of one layer under `name:tag`; gives back the digest of its manifest. */
  publish(name: string, tag: string, layer: Buffer, command: readonly string[]): string;
  /** Every request for an image of that name is refused with 403. */
  deny(name: string): void;
  /** Manifests that were asked for: `name:tag`. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

interface Document {
  readonly type: string;
  readonly bytes: Buffer;
}

const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const oci = (kind: string) => `application/vnd.oci.image.${kind}`;
const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';

const failure = (code: string, message: string): Document => ({
  type: 'application/json',
  bytes: Buffer.from(JSON.stringify({ errors: [{ code, message }] })),
});

export const startRegistry = async (): Promise<Registry> => {
  const manifests = new Map<string, Document>();
  const blobs = new Map<string, Document>();
  const denied = new Set<string>();
  const asked: string[] = [];

  const answer = (path: string): { status: number; document: Document } => {
    if (path === '/v2/') return { status: 200, document: { type: 'application/json', bytes: Buffer.from('{}') } };
    const [, name = '', kind, reference = ''] = /^\/v2\/(.+)\/(manifests|blobs)\/([^/]+)$/.exec(path) ?? [];
    if (denied.has(name))
      return { status: 403, document: failure('DENIED', 'requested access to the resource is denied') };
    if (kind === 'manifests') asked.push(`${name}:${reference}`);
    const document = kind === 'manifests' ? manifests.get(`${name}@${reference}`) : blobs.get(reference);
    if (document) return { status: 200, document };
    return { status: 404, document: failure('MANIFEST_UNKNOWN', 'manifest unknown') };
  };

  const server = http.createServer((request, response) => {
    const { status, document } = answer(request.url ?? '');
    response.writeHead(status, {
      'content-type': document.type,
      'content-length': document.bytes.length,
      'docker-content-digest': digestOf(document.bytes),
      'docker-distribution-api-version': 'registry/2.0',
    });
    response.end(request.method === 'HEAD' ? undefined : document.bytes);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));

  const put = (type: string, bytes: Buffer) => {
    blobs.set(digestOf(bytes), { type, bytes });
    return { mediaType: type, size: bytes.length, digest: digestOf(bytes) };
  };
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    publish: (name, tag, layer, command) => {
      const config = put(
        oci('config.v1+json'),
        Buffer.from(
          JSON.stringify({
            architecture,
            os: 'linux',
            config: { Cmd: command, Env: ['PATH=/bin'] },
            rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
          }),
        ),
      );
      const layers = [put(oci('layer.v1.tar'), layer)];
      const type = oci('manifest.v1+json');
      const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: type, config, layers }));
      for (const reference of [tag, digestOf(bytes)]) manifests.set(`${name}@${reference}`, { type, bytes });
      return digestOf(bytes);
    },
    deny: name => {
      denied.add(name);
    },
    close: () =>
      new Promise(resolve => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
};
