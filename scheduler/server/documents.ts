import type { Kind } from '#api/kind.ts';
export interface Document {
  readonly contentType: string;
  readonly body: string | Buffer;
  readonly etag: string;
}
export const openapiDocument = (_kinds: readonly Kind[], _path: string): Document | undefined => undefined;
export const discoveryDocument = (
  _kinds: readonly Kind[],
  _path: string,
  _accept: string | undefined,
): Document | undefined => undefined;
