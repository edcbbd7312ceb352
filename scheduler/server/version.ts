/** GET /version: the Kubernetes release whose behaviour is served. kubectl compares only the minor number. */
export const versionInfo = {
  major: '1',
  minor: '35',
  gitVersion: 'v1.35.0+berth',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '2026-01-01T00:00:00Z',
  goVersion: '',
  compiler: 'node',
  platform: `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`,
} as const;
