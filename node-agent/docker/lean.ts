/**
 * Keeps dockerode from loading what it needs only for what Berth never does: SSH connections to engines (ssh2), and
 * sessions of BuildKit (gRPC with Protocol Buffers). That is two thirds of its code, about 25 MB of every agent's memory
 * and 150 ms of its start. Must be imported before dockerode. Using one of them fails with a sentence that says why.
 */
import { createRequire, Module } from 'node:module';

const here = createRequire(import.meta.url);

/** Package of dockerode → packages it would load. */
const unused: Readonly<Record<string, readonly string[]>> = {
  dockerode: ['@grpc/grpc-js', '@grpc/proto-loader'],
  'docker-modem': ['ssh2'],
};

const stub = (name: string, file: string): Module => {
  // Not an arrow function: some of what is asked for are classes.
  const refuse = function (): never {
    throw new Error(`${name} is not loaded: Berth speaks neither SSH nor BuildKit sessions with Docker Engines`);
  };
  const module = new Module(file);
  module.filename = file;
  module.loaded = true;
  module.exports = new Proxy({}, { get: () => refuse });
  return module;
};

let user = here;
for (const [owner, packages] of Object.entries(unused)) {
  user = createRequire(user.resolve(owner));
  for (const name of packages) {
    const file = user.resolve(name);
    // What somebody else in this process has loaded stays.
    here.cache[file] ??= stub(name, file);
  }
}
