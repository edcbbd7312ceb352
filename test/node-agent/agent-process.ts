/** An agent as a process of its own, for tests that kill it: options as JSON in argv, the cluster over IPC. */

import { type AgentOptions, startAgent } from '#agent/main.ts';
import { silentLog } from '#base/log.ts';
import { systemClock, systemRandom } from '#base/system.ts';
import { ipcClient } from '#test/node-agent/ipc-client.ts';

const options = JSON.parse(process.argv[2]!) as Pick<AgentOptions, 'nodeName' | 'cluster' | 'dataDir' | 'dockerHost'>;
process.on('disconnect', () => process.exit(1));
await startAgent({ ...options, client: ipcClient(), clock: systemClock, random: systemRandom, log: silentLog });
