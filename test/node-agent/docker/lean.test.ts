/** What an agent does not load. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..', '..', '..');

test('dockerode is loaded without its SSH and BuildKit parts, and refuses them with the reason', () => {
  const script = `
    import { createRequire } from 'node:module';
    await import('#agent/docker/engine.ts');
    const require = createRequire('${root}/node_modules/dockerode/package.json');
    const files = Object.keys(require.cache);
    const loaded = name => files.filter(file => file.includes('/node_modules/' + name + '/')).length;
    let refusal = '';
    try { new (require('@grpc/grpc-js').Server)(); } catch (error) { refusal = error.message; }
    console.log(JSON.stringify({
      dockerode: loaded('dockerode') > 5, grpc: loaded('@grpc/grpc-js'), loader: loaded('@grpc/proto-loader'),
      ssh2: loaded('ssh2'), protobuf: loaded('protobufjs'), refusal,
    }));`;
  const out = execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: root, encoding: 'utf8' });
  expect(JSON.parse(out)).toEqual({
    dockerode: true,
    // The entry of each package, which stands for it.
    grpc: 1,
    loader: 1,
    ssh2: 1,
    protobuf: 0,
    refusal: '@grpc/grpc-js is not loaded: Berth speaks neither SSH nor BuildKit sessions with Docker Engines',
  });
});
