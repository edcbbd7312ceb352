/** Discovery and OpenAPI read by the real kubectl, from a server that serves nothing else. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { discoveryAt, reviewResources } from '#api/discovery.ts';
import { kinds } from '#api/kinds.ts';
import { OpenApi } from '#api/openapi.ts';

const run = promisify(execFile);
const resources = [...kinds, ...reviewResources];
const openapi = new OpenApi(kinds, 'v1.35.0');
const home = mkdtempSync(join(tmpdir(), 'berth-openapi-'));
let server: Server;
let legacy = false;

const kubectl = async (...args: string[]): Promise<string> => {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const cache = join(home, legacy ? 'legacy' : 'aggregated');
  const { stdout } = await run('kubectl', ['--server', url, '--cache-dir', cache, ...args], {
    env: { PATH: process.env['PATH'] ?? '', HOME: home },
  });
  return stdout;
};

beforeAll(async () => {
  server = createServer((request, response) => {
    const path = (request.url ?? '').split('?')[0] ?? '';
    const document = openapi.at(path, request.headers.accept);
    const discovery = discoveryAt(resources, path, legacy ? undefined : request.headers.accept, '127.0.0.1:1');
    const found = document ?? (discovery && { ...discovery, body: JSON.stringify(discovery.body) });
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': found?.contentType ?? 'text/plain' });
    response.end(found?.body);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
});

afterAll(() => {
  server.close();
  rmSync(home, { recursive: true });
});

describe('kubectl', () => {
  it('lists the same resources from aggregated and from legacy discovery', async () => {
    const aggregated = await kubectl('api-resources', '-o', 'wide');
    expect(aggregated).toMatch(
      /^pods +po +v1 +true +Pod +create,delete,deletecollection,get,list,patch,update,watch +all$/m,
    );
    legacy = true;
    expect(await kubectl('api-resources', '-o', 'wide')).toBe(aggregated);
    legacy = false;
  });

  it('explains fields with types, required marks and enumerations', async () => {
    const text = await kubectl('explain', 'pod.spec.containers', '--recursive');
    expect(text).toContain('FIELD: containers <[]Container>');
    expect(text).toMatch(/^ {2}name\t<string> -required-$/m);
    expect(text).toMatch(/^ {2}resources\t<ResourceRequirements>\n {4}claims/m);
    expect(text).toMatch(/^ {4}limits\t<map\[string\]Quantity>$/m);
    expect(text).toContain('enum: Always, IfNotPresent, Never');
    expect(await kubectl('explain', 'pdb.spec.minAvailable')).toContain('<IntOrString>');
  });

  it('says of an unknown kind that it is unknown', async () => {
    const manifest = join(home, 'podd.yaml');
    writeFileSync(manifest, 'apiVersion: v1\nkind: Podd\nmetadata: { name: x }\n');
    await expect(kubectl('apply', '-f', manifest)).rejects.toThrow('no matches for kind "Podd" in version "v1"');
  });

  it('explains from version 2 as well', async () => {
    const v2 = ['--output', 'plaintext-openapiv2'];
    const text = await kubectl('explain', 'pod.spec.containers', ...v2);
    expect(text).toMatch(/^KIND: +Pod\nVERSION: +v1\n\nRESOURCE: containers <\[\]Object>/);
    expect(text).toMatch(/^ {3}name\t<string> -required-$/m);
    expect(await kubectl('explain', 'rs.spec.template.spec', '--recursive', ...v2)).toMatch(
      /^ {6}resources\t<Object>\n {9}claims/m,
    );
    expect(await kubectl('explain', 'pdb.spec.minAvailable', ...v2)).toContain('FIELD:    minAvailable <string>');
  });
});
