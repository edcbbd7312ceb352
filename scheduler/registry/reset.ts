/** What a write may not touch is put back: the status at the main resource, all but the status at /status, and so on. */
import type { Kind } from '#api/kind.ts';
import type { KubeObject } from '#api/object.ts';
import { badRequest } from '#api/status.ts';
import { deepCopy } from '#base/deep.ts';
import type { Draft } from './request.ts';
import type { Step, Write } from './write.ts';

export const resetFields: Step = write => {
  const { verb, target, draft, old } = write;
  const { kind, subresource } = target;
  if (subresource !== undefined) write.draft = keepAllBut(write, subresource);
  else if (verb === 'create') kind.prepareCreate?.(draft as KubeObject);
  else {
    if (kind.hasStatus) draft.status = statusOf(old!.value);
    if (draft.status === undefined) delete draft.status;
    kind.prepareUpdate?.(draft as KubeObject, old!.value);
  }
};

const statusOf = (object: KubeObject): unknown => deepCopy((object as unknown as Draft).status);

/** The old object with the part that the subresource is for. */
const keepAllBut = ({ draft, old, target }: Write, subresource: string): Draft => {
  const kept = old!.value as unknown as Draft;
  const metadata = { ...kept.metadata, name: draft.metadata.name };
  for (const field of ['uid', 'namespace', 'resourceVersion', 'managedFields'] as const) {
    const value = draft.metadata[field];
    if (value !== undefined) (metadata as unknown as Record<string, unknown>)[field] = value;
  }
  if (subresource === 'finalize') return { ...kept, metadata, spec: draft.spec };
  if (subresource !== 'status') throw badRequest(`the subresource ${subresource} cannot be written`);
  // As upstream: the status of pods and nodes carries labels and annotations too (the kubelet sets them there).
  if (target.kind.group === '' && (target.kind.plural === 'pods' || target.kind.plural === 'nodes')) {
    const { labels, annotations } = draft.metadata;
    if (labels === undefined) delete metadata.labels;
    else metadata.labels = labels;
    if (annotations === undefined) delete metadata.annotations;
    else metadata.annotations = annotations;
  }
  keepQosClass(target.kind, draft, kept);
  const { status: _, ...rest } = kept;
  return draft.status === undefined ? { ...rest, metadata } : { ...rest, metadata, status: draft.status };
};

/** Set once, at create; a status without it does not take it away (podStatusStrategy). */
const keepQosClass = (kind: Kind, draft: Draft, kept: Draft): void => {
  if (kind.group !== '' || kind.plural !== 'pods' || draft.status === undefined) return;
  const status = draft.status as { qosClass?: string };
  const { qosClass } = (kept.status ?? {}) as { qosClass?: string };
  if (status.qosClass === undefined && qosClass !== undefined) status.qosClass = qosClass;
};
