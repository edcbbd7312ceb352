/** The Conflict of server-side apply, in the words of apimachinery: who owns the fields that were to change. */
import { ApiError, type Cause } from '../status.ts';
import { type FieldSet, pathsOf, pathText } from './fieldset.ts';
import type { Manager } from './managers.ts';

/** Fields that an apply would change and another manager owns. */
export interface Conflict {
  readonly owned: Manager;
  readonly fields: FieldSet;
}

/** 409 with one cause per field. */
export const applyConflict = (conflicts: readonly Conflict[]): ApiError => {
  const sorted = conflicts
    .map(({ owned, fields }) => ({ who: managerText(owned), paths: pathsOf(fields).map(pathText) }))
    .sort((a, b) => (a.who < b.who ? -1 : 1));
  const causes: Cause[] = sorted.flatMap(({ who, paths }) =>
    paths.map(field => ({ reason: 'FieldManagerConflict' as const, message: `conflict with ${who}`, field })),
  );
  const several = sorted.map(({ who, paths }) =>
    [`conflicts with ${who}:`, ...paths.map(path => `- ${path}`)].join('\n'),
  );
  const message =
    causes.length === 1
      ? `Apply failed with 1 conflict: ${causes[0]?.message}: ${causes[0]?.field}`
      : `Apply failed with ${causes.length} conflicts: ${several.join('\n')}`;
  return new ApiError({ code: 409, reason: 'Conflict', message, details: { causes } });
};

const managerText = ({ manager, operation, apiVersion, subresource }: Manager): string => {
  const name = JSON.stringify(manager) + (subresource ? ` with subresource ${JSON.stringify(subresource)}` : '');
  return operation === 'Update' ? `${name} using ${apiVersion}` : name;
};
