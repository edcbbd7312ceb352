/**
 * A process of the benchmarks: the control plane with its HTTPS API, SQLite store and controllers, but without scheduler.
 * `control-plane.ts FOLDER`; prints one line of JSON when it answers, and ends on SIGTERM.
 */
import { silentLog } from '#base/log.ts';
import { systemClock, systemRandom } from '#base/system.ts';
import { startControlPlane } from '#scheduler/main.ts';

export interface ControlPlaneAddress {
  readonly server: string;
  readonly caPem: string;
  readonly token: string;
}

const [dataDir = ''] = process.argv.slice(2);
const plane = await startControlPlane({
  dataDir,
  clock: systemClock,
  random: systemRandom,
  log: { ...silentLog, error: (fields, message) => console.error(message, fields) },
  scheduler: false,
});
process.once('SIGTERM', () => void plane.stop().then(() => process.exit(0)));
const address: ControlPlaneAddress = { server: plane.url, caPem: plane.caPem, token: plane.adminToken };
console.log(JSON.stringify(address));
