/** The annotation in which a client-side apply keeps what it applied, so that the next one sees what was dropped. */
import type { ManifestObject } from '../manifests.ts';
import { toCompactJson } from '../output/json.ts';

export const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration';

/** The manifest with itself in the annotation, in kubectl's form, so that both programs continue each other's work. */
export const withLastApplied = (object: ManifestObject): ManifestObject => {
  const annotations = { ...object.metadata.annotations };
  delete annotations[lastAppliedAnnotation];
  const bare = { ...object, metadata: { ...object.metadata, annotations } };
  const text = `${toCompactJson(bare)}\n`;
  return { ...bare, metadata: { ...bare.metadata, annotations: { ...annotations, [lastAppliedAnnotation]: text } } };
};

/** What was applied last, or undefined when the object does not say. */
export const lastApplied = (object: {
  metadata: { annotations?: Record<string, string> };
}): Record<string, unknown> | undefined => {
  const text = object.metadata.annotations?.[lastAppliedAnnotation];
  if (!text) return undefined;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    // A broken annotation counts as none: nothing is deleted on its word.
    return undefined;
  }
};
