/** A stored file: what it shows, its name and size, a way to take it home, and what the server finds in it. */
import { Anchor, Loader, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, type ReactNode } from 'react';
import type { Json, JsonObject } from '../api/json';
import type { BlobView } from '../api/types';
import { later } from '../app/later';
import { bytes } from './numbers';
import { download, factsQuery } from './files';
import { Folder } from './Folder';
import { agreed, IMAGE_BYTES, said, shownAs, tableKind } from './media';
import { NotHere, Taking, type ViewerProps } from './parts';
import { Pictures } from './Pictures';
import { Recording } from './Recording';
import { TextFile } from './TextFile';

const FileTable = lazy(later(() => import('../grid/TableValue').then((module) => ({ default: module.FileTable }))));
const Pdf = lazy(later(() => import('./pdf/Pdf').then((module) => ({ default: module.Pdf }))));

/** `tree` shows what is in a file of JSON. */
export type Tree = (value: Json) => ReactNode;

export function FileValue({ value, tree }: { value: JsonObject; tree: Tree }) {
  if (typeof value.$uri !== 'string') return <StoredFile value={value} tree={tree} />;
  return /^https?:/.test(value.$uri) ? (
    <Anchor href={value.$uri} target="_blank" rel="noreferrer" underline="always">
      {value.$uri}
    </Anchor>
  ) : (
    <span>{value.$uri}</span>
  );
}

/** A blob as the server finds it. What the value says of it comes from its author. */
function StoredFile({ value, tree }: { value: JsonObject; tree: Tree }) {
  const { digest, name, media: claimed } = said(value);
  const { data: found, error } = useQuery(factsQuery(digest));
  if (error)
    return (
      <Text c="dimmed">
        The file {name} could not be looked into: {error.message}
      </Text>
    );
  if (!found) return <Loader size="sm" aria-label="Inspecting the file" />;
  const media = agreed(claimed, found.media);
  const facts = (
    <>
      <Text size="xs" c="dimmed" className="digest">
        {found.media}, SHA-256 {digest}
      </Text>
      <Disagreement value={value} found={found} isOther={media !== claimed} />
    </>
  );
  if (shownAs(media) === 'folder') return <Folder digest={digest} name={name} />;
  if (shownAs(media) === 'image' && found.size <= IMAGE_BYTES)
    return (
      <div>
        <Pictures pictures={[{ name, file: value }]} />
        {facts}
      </div>
    );
  return (
    <div>
      <Suspense fallback={<Loader size="sm" aria-label="Loading the file" />}>
        <Viewer digest={digest} name={name} media={media} size={found.size} tree={tree} />
      </Suspense>
      <Taking name={name} size={found.size} onTake={() => download(digest, name)} />
      {facts}
    </div>
  );
}

function Viewer({ tree, ...props }: ViewerProps & { tree: Tree }): ReactNode {
  const { digest, media, size, name } = props;
  switch (shownAs(media)) {
    case 'table':
      return <FileTable digest={digest} kind={tableKind(media)} size={size} />;
    case 'pdf':
      return <Pdf {...props} />;
    case 'audio':
    case 'video':
      return <Recording {...props} />;
    case 'text':
    case 'markdown':
    case 'json':
      return <TextFile {...props} tree={tree} />;
    case 'image':
      return <NotHere name={name}>An image of {bytes(size)} is too large to show here.</NotHere>;
    default:
      return <NotHere name={name}>A file of this type is not shown here.</NotHere>;
  }
}

/** Where the value says something else of a file than the server finds. */
function Disagreement({ value, found, isOther }: { value: JsonObject; found: BlobView; isOther: boolean }) {
  const claims = [
    typeof value.size === 'number' && value.size !== found.size && bytes(value.size),
    isOther && typeof value.media === 'string' && value.media,
  ].filter(Boolean);
  return (
    claims.length > 0 && (
      <Text size="sm" c="orange">
        The value says {claims.join(', ')}. That is not so.
      </Text>
    )
  );
}
