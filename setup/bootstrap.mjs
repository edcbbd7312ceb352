/**
 * Starts a program of this repository on a fresh clone: plain JavaScript for whatever Node (20 or newer) the machine has,
 * with no dependency. It installs node_modules where they are missing or differ from package-lock.json, then runs the
 * file that is asked for under the Node 24 that the package brings. `node setup/bootstrap.mjs cli/demo/main.ts [ARGS…]`
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const neededMajor = 24;

/** `package path → version` of a lockfile; node_modules/.package-lock.json has the same form as package-lock.json. */
function versionsOf(file) {
  const packages = Object.entries(JSON.parse(readFileSync(file, 'utf8')).packages ?? {});
  return new Map(packages.filter(([path]) => path !== '').map(([path, entry]) => [path, entry]));
}

/** What keeps node_modules from being what package-lock.json says, or undefined when nothing does. */
function whyInstall() {
  const installed = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installed)) return 'dependencies are not installed';
  const have = versionsOf(installed);
  for (const [path, entry] of versionsOf(join(root, 'package-lock.json'))) {
    const present = have.get(path);
    // Packages of other platforms are optional and absent here.
    if (present === undefined && (entry.optional || entry.devOptional || entry.peer)) continue;
    if (present?.version !== entry.version) return `${path} is not the version that package-lock.json names`;
  }
  return undefined;
}

function install(reason) {
  process.stderr.write(`Setting up: ${reason}; running npm ci (about a minute on a slow line)\n`);
  // No package needs its install script, and npm warns of much that is harmless here (settings of the user's npmrc, engines
  // that the machine's own Node is too old for).
  const npm = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 2, 2],
  });
  if (npm.error)
    fail(`npm could not be started: ${npm.error.message}. Install npm (it comes with Node) and try again.`);
  if (npm.status === 0) return;
  fail(
    `npm ci failed with ${npm.signal ?? `exit code ${npm.status}`}; its own messages stand above. Mostly the package registry is ` +
      'not reachable (see `npm config get registry` and your proxy settings) or the folder is not writable. Nothing was started.',
  );
}

/** The Node that the package brings for this platform, else the running one where it is new enough. */
function nodeBinary() {
  const own = join(root, 'node_modules', '.bin', 'node');
  if (existsSync(own) && spawnSync(own, ['--version']).status === 0) return own;
  if (Number(process.versions.node.split('.')[0]) >= neededMajor) return process.execPath;
  return fail(
    `Berth needs Node ${neededMajor}. npm brings it for Linux on x64 and arm64; here (${process.platform} ${process.arch}) it did not ` +
      `come (optional dependencies left out?) and this Node is ${process.versions.node}. Install Node ${neededMajor} and try again.`,
  );
}

function fail(message) {
  process.stderr.write(`error: ${message}\n`);
  process.exit(1);
}

function run(file, args) {
  if (!existsSync(join(root, file))) fail(`there is no ${file} in ${root}`);
  const bin = join(root, 'node_modules', '.bin');
  const child = spawn(nodeBinary(), ['--disable-warning=ExperimentalWarning', join(root, file), ...args], {
    stdio: 'inherit',
    env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` },
  });
  // Ctrl-C reaches the child through the terminal; this process only waits for its clean-up. TERM and HUP are passed on.
  process.on('SIGINT', () => {});
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', error => fail(`cannot run ${file}: ${error.message}`));
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}

const [file, ...args] = process.argv.slice(2);
if (file === undefined) fail('usage: node setup/bootstrap.mjs FILE [ARGUMENT…]');
if (Number(process.versions.node.split('.')[0]) < 20)
  fail(`Node 20 or newer is needed; this is ${process.versions.node}`);
const reason = whyInstall();
if (reason !== undefined) install(reason);
run(file, args);
