/** Fields for what is stored as a file: it is sent when it is chosen, and the value stands for it. */
import { useQuery } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { limitsQuery } from '../api/limits';
import { isObject, writeJson, type Json, type JsonObject } from '../api/json';
import { bytes } from '../show/numbers';
import { Frame } from './Frame';
import { fileValue, startUpload } from '../upload/upload';
import { useField, useForm, type FieldProps } from './state';
import type { Sender } from './useUploads';
import { UploadCard } from './UploadCard';

/** The most bytes that stand in a value itself. */
const INLINE_BYTES = 16 * 1024;

const MEDIA: Record<string, { accept: string; media: string; about: string }> = {
  ndarray: { accept: '.npy', media: 'application/vnd.numpy.npy', about: 'array' },
  table: { accept: '.parquet', media: 'application/vnd.apache.parquet', about: 'table' },
};

/** Kinds that can be chosen as one file. */
export const CHOOSABLE: ReadonlySet<string> = new Set(['file', 'ndarray', 'table']);

/** Send a file; `done` is the value that stands for it. */
function sendFile(file: File, progress: (bytes: number) => void) {
  const { done, cancel } = startUpload(file, ({ sent }) => progress(sent));
  return { done: done.then((sent) => fileValue(file, sent)), cancel };
}

export function BlobField(props: FieldProps & { of: string; web: boolean }) {
  const { leaf, dispatch, disabled, input } = useField(props);
  const { send } = useForm();
  const { of, web, at } = props;
  const kind = MEDIA[of];
  const uri = isObject(leaf.value) && typeof leaf.value.$uri === 'string' ? leaf.value.$uri : undefined;
  const [fromWeb, setFromWeb] = useState(uri !== undefined);
  const choose = ([file]: File[]) => {
    if (!file) return;
    send(at, file, (progress) => {
      const { done, cancel } = sendFile(file, progress);
      return {
        cancel,
        done: done.then((stored): Json =>
          kind ? { $blob: stored.$blob ?? '', size: stored.size ?? 0, media: kind.media, about: kind.about } : stored,
        ),
      };
    });
  };
  const turn = (next: boolean) => {
    setFromWeb(next);
    dispatch({ type: 'typed', at, reading: { value: undefined } });
  };
  const other = web && !disabled && (
    <button type="button" className="link hlp" onClick={() => turn(!fromWeb)}>
      {fromWeb ? 'Choose a file instead' : 'Give a web address instead'}
    </button>
  );
  if (web && fromWeb)
    return (
      <Frame {...props} help={other}>
        <input
          {...input}
          className="in"
          type="url"
          placeholder="https://"
          value={uri ?? ''}
          onChange={({ currentTarget: { value } }) =>
            dispatch({ type: 'typed', at, reading: { value: value ? { $uri: value } : undefined } })
          }
        />
      </Frame>
    );
  return <Chooser {...props} accept={kind?.accept} onFiles={choose} help={other} />;
}

const FOLDER = 'application/vnd.tidegate.directory+json';

/** A directory: each of its files is sent, and then the list of them, which stands for it. */
export function FolderField(props: FieldProps) {
  const { send } = useForm();
  const choose = (files: File[]) =>
    send(props.at, { name: folderOf(files[0]), size: sizeOf(files) }, directorySender(files));
  return <Chooser {...props} isFolder onFiles={choose} />;
}

const sizeOf = (files: File[]): number => files.reduce((sum, each) => sum + each.size, 0);

function directorySender(files: File[]): Sender {
  return (progress) => {
    let running: ReturnType<typeof sendFile> | undefined;
    let isCancelled = false;
    const one = (file: File, before: number) => {
      if (isCancelled) throw new Error('cancelled');
      running = sendFile(file, (sent) => progress(before + sent));
      return running.done;
    };
    const all = async (): Promise<Json> => {
      const listed: [string, Json][] = [];
      let before = 0;
      for (const file of files) {
        listed.push([within(file), (await one(file, before)).$blob ?? null]);
        before += file.size;
      }
      listed.sort(([some], [other]) => (some < other ? -1 : 1));
      const manifest = await one(new File([writeJson(Object.fromEntries(listed) as JsonObject)], 'manifest'), before);
      return {
        $blob: manifest.$blob ?? '',
        size: sizeOf(files),
        media: FOLDER,
        name: folderOf(files[0]),
        about: `${files.length} file${files.length === 1 ? '' : 's'}`,
      };
    };
    const cancel = () => {
      isCancelled = true;
      running?.cancel();
    };
    return { done: all(), cancel };
  };
}

/** The path of a file in the directory that was chosen. */
function within(file: File): string {
  return file.webkitRelativePath.split('/').slice(1).join('/') || file.name;
}

function folderOf(file: File | undefined): string {
  return file?.webkitRelativePath.split('/')[0] || 'directory';
}

/** Bytes: short ones stand in the value itself. */
export function BytesField(props: FieldProps) {
  const { send } = useForm();
  const choose = ([file]: File[]) => {
    if (!file) return;
    send(props.at, file, (progress) => {
      if (file.size <= INLINE_BYTES) return { done: inline(file), cancel: () => undefined };
      const { done, cancel } = sendFile(file, progress);
      return {
        cancel,
        done: done.then((stored): Json => ({
          $blob: stored.$blob ?? '',
          size: stored.size ?? 0,
          media: 'application/octet-stream',
        })),
      };
    });
  };
  return <Chooser {...props} onFiles={choose} />;
}

async function inline(file: File): Promise<Json> {
  const found = new Uint8Array(await file.arrayBuffer());
  return btoa(Array.from(found, (byte) => String.fromCharCode(byte)).join(''));
}

function Chooser({
  accept,
  isFolder = false,
  onFiles,
  help,
  ...props
}: FieldProps & {
  accept?: string | undefined;
  isFolder?: boolean;
  onFiles: (files: File[]) => void;
  help?: React.ReactNode;
}) {
  const { id, leaf, dispatch, input, disabled } = useField(props);
  const { uploads } = useForm();
  const { data: limits } = useQuery(limitsQuery);
  const field = useRef<HTMLInputElement>(null);
  const upload = leaf.upload === undefined ? undefined : uploads[leaf.upload];
  const name = described(leaf.value);
  const clear = () => dispatch({ type: 'typed', at: props.at, reading: { value: undefined } });
  const what = isFolder ? 'a directory' : accept ? `a ${accept} file` : 'a file';
  const choose = (files: File[]) => {
    const large = files.find(({ size }) => limits && size > limits.upload_bytes);
    if (!large || !limits) return onFiles(files);
    const wrong = `${large.name} has ${bytes(large.size)}; a file may have ${bytes(limits.upload_bytes)}`;
    return dispatch({ type: 'typed', at: props.at, reading: { value: undefined, text: '', wrong } });
  };
  const drop = (event: React.DragEvent) => {
    event.preventDefault();
    if (!isFolder && !disabled && event.dataTransfer.files[0]) choose([event.dataTransfer.files[0]]);
  };
  return (
    <Frame {...props} help={help}>
      <div className="up" onDragOver={(event) => event.preventDefault()} onDrop={drop}>
        <input
          ref={field}
          type="file"
          hidden
          accept={accept}
          disabled={disabled}
          {...(isFolder ? { multiple: true, webkitdirectory: '' } : {})}
          onChange={(event) => {
            const files = [...(event.currentTarget.files ?? [])];
            // The same file may be chosen again.
            event.currentTarget.value = '';
            if (files.length > 0) choose(files);
          }}
        />
        {upload && leaf.upload !== undefined ? (
          <UploadCard id={leaf.upload} upload={upload} field={id} />
        ) : (
          <div className="f-row">
            <button
              {...input}
              aria-required={undefined}
              type="button"
              className="btn"
              aria-labelledby={`${id}-label`}
              aria-describedby={`${id}-what ${input['aria-describedby']}`}
              onClick={() => field.current?.click()}
            >
              {name ? 'Replace' : `Choose ${what}`}
            </button>
            <span
              className={leaf.wrong ? 'up-name flt' : name ? 'up-name' : 'up-name dim'}
              id={`${id}-what`}
              dir="auto"
            >
              {name || (leaf.wrong ?? props.optional ?? (isFolder ? '' : 'or drop it here'))}
            </span>
            {name && !disabled && (
              <button type="button" className="btn btn-quiet" onClick={clear}>
                Remove
              </button>
            )}
          </div>
        )}
      </div>
    </Frame>
  );
}

function described(value: Json | undefined): string {
  if (typeof value === 'string') return bytes(Math.floor(value.length * 0.75));
  if (!isObject(value) || !('$blob' in value)) return '';
  const size = typeof value.size === 'number' ? bytes(value.size) : '';
  const about = typeof value.about === 'string' ? value.about : '';
  return [typeof value.name === 'string' ? value.name : '', about, size].filter(Boolean).join(', ');
}
