import { expect, test } from 'vitest';
import { collectionPath, listQuery, objectPath, writeQuery } from '#client/paths.ts';

const pods = { group: '', version: 'v1', plural: 'pods', namespaced: true };
const nodes = { group: '', version: 'v1', plural: 'nodes', namespaced: false };
const leases = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases', namespaced: true };

test('objects of the core group, of other groups and of no namespace have their paths', () => {
  expect(objectPath(pods, { namespace: 'a', name: 'x' })).toBe('/api/v1/namespaces/a/pods/x');
  expect(objectPath(pods, { name: 'x' }, 'status')).toBe('/api/v1/namespaces/default/pods/x/status');
  expect(objectPath(nodes, { name: 'n', namespace: 'ignored' })).toBe('/api/v1/nodes/n');
  expect(collectionPath(leases, 'k')).toBe('/apis/coordination.k8s.io/v1/namespaces/k/leases');
  expect(collectionPath(leases, undefined)).toBe('/apis/coordination.k8s.io/v1/leases');
});

test('what is special in a URL is escaped, in names and in queries', () => {
  expect(objectPath(pods, { namespace: 'a', name: '../x?y=1' })).toBe('/api/v1/namespaces/a/pods/..%2Fx%3Fy%3D1');
  expect(listQuery({ labelSelector: 'a in (b,c)', fieldSelector: 'spec.nodeName=', limit: 5 })).toBe(
    '?labelSelector=a%20in%20(b%2Cc)&fieldSelector=spec.nodeName%3D&limit=5',
  );
  expect(listQuery({})).toBe('');
  expect(writeQuery({ dryRun: true, force: false, fieldManager: 'me' })).toBe(
    '?fieldManager=me&dryRun=All&force=false',
  );
});
